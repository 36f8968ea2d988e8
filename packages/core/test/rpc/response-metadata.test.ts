// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DurationSchema, FieldMaskSchema, TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, DrpcError, type HandlerContext, type Metadata } from "@ts-drpc/core";
import { type EchoPair, each, echoPair } from "./harness.js";

/** Sets metadata of both kinds, with text, bytes, and several values for a key. */
function setMetadata({ responseHeader, responseTrailer }: HandlerContext): void {
  responseHeader.set("h", "1").append("many", "a").append("many", "b, c");
  responseHeader.set("h-bin", Uint8Array.of(0, 255));
  responseTrailer.set("t", "2").set("t-bin", Uint8Array.of(1));
}

function metadataPair(options: Parameters<typeof echoPair>[1] = {}): EchoPair {
  return echoPair(
    {
      say(request, context) {
        setMetadata(context);
        if (request.sentence === "fail") {
          throw new DrpcError("no", Code.NotFound);
        }
        return { sentence: request.sentence };
      },
      async *repeat(request, context) {
        setMetadata(context);
        yield { sentence: request.sentence };
        yield { sentence: request.sentence };
        if (request.sentence === "fail") {
          throw new DrpcError("no", Code.NotFound);
        }
      },
      async join(requests, context) {
        setMetadata(context);
        for await (const _ of requests) {
          // All is read.
        }
        return {};
      },
      async *chat(requests, context) {
        setMetadata(context);
        for await (const { sentence } of requests) {
          yield { sentence };
        }
      },
    },
    options,
  );
}

/** Collects what a caller is told, in order. */
function listen(): { events: string[]; onHeader(header: Metadata): void; onTrailer(trailer: Metadata): void } {
  const events: string[] = [];
  return {
    events,
    onHeader: (header) => events.push(`header ${show(header)}`),
    onTrailer: (trailer) => events.push(`trailer ${show(trailer)}`),
  };
}

function show(metadata: Metadata): string {
  return [...metadata].map(([key, value]) => `${key}=${typeof value === "string" ? value : `<${value}>`}`).join(" ");
}

const header = "header h=1 many=a many=b, c h-bin=<0,255>";
const trailer = "trailer t=2 t-bin=<1>";

async function repeat({ client }: EchoPair, sentence: string, told: ReturnType<typeof listen>): Promise<void> {
  for await (const reply of client.repeat({ sentence }, told)) {
    told.events.push(reply.sentence);
  }
}

describe("a server's metadata", () => {
  test("comes with the first call of a connection as with any other, around its responses", async () => {
    await using pair = metadataPair();
    for (let round = 0; round < 2; round++) {
      const told = listen();
      await pair.client.say({ sentence: "x" }, told);
      assert.deepEqual(told.events, [header, trailer]);
    }
  });

  test("comes around the messages of a stream, the trailer when all of them have been read", async () => {
    await using pair = metadataPair();
    const told = listen();
    await repeat(pair, "x", told);
    assert.deepEqual(told.events, [header, "x", "x", trailer]);
    const chat = listen();
    for await (const reply of pair.client.chat(each("a", "b"), chat)) {
      chat.events.push(reply.sentence);
    }
    assert.deepEqual(chat.events, [header, "a", "b", trailer]);
    const join = listen();
    await pair.client.join(each("a"), join);
    assert.deepEqual(join.events, [header, trailer]);
  });

  test("comes ahead of an error too", async () => {
    await using pair = metadataPair();
    const unary = listen();
    await assert.rejects(pair.client.say({ sentence: "fail" }, unary), { code: Code.NotFound });
    assert.deepEqual(unary.events, [header, trailer]);
    const stream = listen();
    await assert.rejects(repeat(pair, "fail", stream), { code: Code.NotFound });
    assert.deepEqual(stream.events, [header, "fail", "fail", trailer]);
  });

  test("is not mentioned if there is none, and needs nobody who listens", async () => {
    await using pair = echoPair();
    const told = listen();
    await pair.client.say({ sentence: "x" }, told);
    assert.deepEqual(told.events, []);
    await using other = metadataPair();
    assert.equal((await other.client.say({ sentence: "x" })).sentence, "x");
  });

  test("is left out towards a client that never announced itself, as a Go client", async () => {
    await using pair = metadataPair({ client: { peer: "sequential" } });
    const told = listen();
    assert.equal((await pair.client.say({ sentence: "x" }, told)).sentence, "x");
    assert.deepEqual(told.events, []);
  });

  test("fails the call if the caller's function throws, of all kinds, and no other call", async () => {
    await using pair = metadataPair();
    for (const name of ["onHeader", "onTrailer"]) {
      const broken = {
        [name]() {
          throw new DrpcError("not this", Code.Aborted);
        },
      };
      await assert.rejects(pair.client.say({ sentence: "x" }, broken), { code: Code.Aborted, rawMessage: "not this" });
      await assert.rejects(repeat(pair, "x", { ...listen(), ...broken }), { code: Code.Aborted });
      await pair.client.say({ sentence: "x" });
    }
  });

  test("passes through interceptors on both sides, which see it and add to it", async () => {
    const seen: string[] = [];
    await using pair = metadataPair({
      client: {
        interceptors: [
          (next) => (request) =>
            next({
              ...request,
              onHeader(received) {
                seen.push(show(received));
                request.onHeader?.(received.set("more", "client"));
              },
            }),
        ],
      },
      server: {
        interceptors: [
          (next) => (request) => {
            request.responseTrailer?.set("server", "yes");
            return next(request);
          },
        ],
      },
    });
    const told = listen();
    await pair.client.say({ sentence: "x" }, told);
    assert.equal(seen.length, 1);
    assert.deepEqual(told.events, [`${header} more=client`, "trailer server=yes t=2 t-bin=<1>"]);
  });

  test("that is too large fails the call on the server with a text that names the limit, and the connection lives", async () => {
    for (const which of ["responseHeader", "responseTrailer"] as const) {
      await using pair = echoPair(
        {
          say(request, context) {
            context[which].set("k", request.sentence);
            return {};
          },
        },
        { server: { maxMetadataBytes: 1_000 } },
      );
      await pair.client.say({ sentence: "x" });
      await assert.rejects(pair.client.say({ sentence: "x".repeat(2_000) }), {
        code: Code.ResourceExhausted,
        message: /of 20\d\d bytes was not sent, the limit maxMetadataBytes is 1000/,
      });
      await pair.client.say({ sentence: "x" });
      assert.equal(pair.served.length, 1);
    }
  });

  test("of more entries than the client takes fails that call alone, and names the limit", async () => {
    await using pair = metadataPair({ client: { maxMetadataKeys: 3 } });
    await assert.rejects(pair.client.say({ sentence: "x" }), {
      code: Code.ResourceExhausted,
      message: /Header of 4 entries, the limit maxMetadataKeys is 3/,
    });
  });
});

describe("the details of an error", () => {
  const details = [
    { desc: FieldMaskSchema, value: { paths: ["a.b", "c"] } },
    { desc: TimestampSchema, value: timestampFromMs(1_000) },
    { desc: FieldMaskSchema, value: { paths: [] } },
  ];
  const failing = {
    say(): never {
      throw new DrpcError("look closer", Code.FailedPrecondition, { details });
    },
  };

  test("reach the caller, and are found by their type", async () => {
    for (const errorFormat of ["drpc", "grpc-status"] as const) {
      await using pair = echoPair(failing, { server: { errorFormat } });
      const told = listen();
      const error = await pair.client.say({ sentence: "x" }, told).catch((reason) => reason as DrpcError);
      assert.ok(error instanceof DrpcError);
      assert.equal(error.code, Code.FailedPrecondition);
      assert.equal(error.rawMessage, "look closer");
      assert.deepEqual(
        error.findDetails(FieldMaskSchema).map(({ paths }) => paths),
        [["a.b", "c"], []],
      );
      assert.equal(error.findDetails(TimestampSchema)[0]?.seconds, 1n);
      assert.deepEqual(error.findDetails(DurationSchema), []);
      assert.deepEqual(told.events, [], "what carries them is not shown");
    }
  });

  test("are dropped towards a client that cannot take them, and the error arrives all the same", async () => {
    await using pair = echoPair(failing, { client: { peer: "sequential" } });
    await assert.rejects(pair.client.say({}), { code: Code.FailedPrecondition, details: [] });
  });

  test("are there on the error that was made, and can be passed on as they came", async () => {
    const made = new DrpcError("x", Code.Aborted, { details });
    assert.deepEqual(made.findDetails(TimestampSchema)[0]?.seconds, 1n);
    await using pair = echoPair({
      say(): never {
        throw new DrpcError("x", Code.Aborted, {
          details: [{ type: "google.protobuf.FieldMask", value: Uint8Array.of(10, 1, 97) }],
        });
      },
    });
    const error = await pair.client.say({}).catch((reason) => reason as DrpcError);
    assert.deepEqual((error as DrpcError).findDetails(FieldMaskSchema)[0]?.paths, ["a"]);
  });

  test("that are no message of their type are not found, and harm nobody", () => {
    const error = new DrpcError("x", Code.Aborted, {
      details: [{ type: "google.protobuf.FieldMask", value: Uint8Array.of(255) }],
    });
    assert.deepEqual(error.findDetails(FieldMaskSchema), []);
  });
});
