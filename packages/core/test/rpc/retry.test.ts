// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, createClient, DrpcError, type Interceptor, type Metadata, type RetryOptions } from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import { createEchoServiceClient, EchoHandler, EchoService, registerEchoService } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { dialRawServer, errorFrame, frame, type RawPeer } from "../raw-peer.js";
import { closeIn, useFakeTime } from "./fake-server.js";
import { each, sentences, withoutUnhandled } from "./harness.js";

const full = "too many concurrent streams: the limit maxConcurrentStreams is 2";
const quick: RetryOptions = { initialBackoffMs: 1, maxBackoffMs: 1 };

/** A response that says "ok". */
const answer = new Uint8Array([0x0a, 2, 0x6f, 0x6b]);

/** Refuses the call on a stream, as a server does that is full. */
async function refuse(raw: RawPeer, stream: number): Promise<void> {
  await raw.frame(Kind.CloseSend, stream);
  raw.write(errorFrame(stream, 1, 8n, full));
}

async function accept(raw: RawPeer, stream: number): Promise<void> {
  await raw.frame(Kind.CloseSend, stream);
  raw.write(frame(Kind.Message, stream, 1, answer), frame(Kind.CloseSend, stream, 2));
}

describe("a call that a full server refuses", () => {
  test("is made again after a pause, and its caller does not notice", async () => {
    const { transport, peer } = dialRawServer({ peer: "multiplexed" });
    const client = createEchoServiceClient(transport);
    const unary = client.say({ sentence: "x" });
    const raw = await peer();
    await refuse(raw, 1);
    await accept(raw, 2);
    assert.equal((await unary).sentence, "ok");
    const responses = sentences(client.repeat({ sentence: "y" }));
    await refuse(raw, 3);
    await refuse(raw, 4);
    await accept(raw, 5);
    assert.deepEqual(await responses, ["ok"]);
    const bodies = raw.frames
      .filter(({ kind }) => kind === Kind.Message)
      .map(({ data }) => Buffer.from(data).toString());
    assert.deepEqual(bodies, ["\n\u0001x", "\n\u0001x", "\n\u0001y", "\n\u0001y", "\n\u0001y"]);
    await transport.close();
  });

  test("fails with the last error, and how many attempts there were", async () => {
    const { transport, peer } = dialRawServer({ peer: "multiplexed", retry: quick });
    const call = createEchoServiceClient(transport).say({});
    const raw = await peer();
    for (const stream of [1, 2, 3]) {
      await refuse(raw, stream);
    }
    await assert.rejects(call, (error: DrpcError) => {
      assert.equal(error.code, Code.ResourceExhausted);
      assert.equal(error.notStarted, true);
      assert.equal(error.rawMessage, `${full} (attempt 3 of 3)`);
      assert.equal((error.cause as DrpcError).rawMessage, full);
      return true;
    });
    assert.equal(raw.frames.filter(({ kind }) => kind === Kind.Invoke).length, 3);
    await transport.close();
  });

  test("is made once with maxAttempts: 1, of the transport or of the call", async () => {
    for (const [ofTransport, ofCall] of [
      [{ maxAttempts: 1 }, undefined],
      [{ maxAttempts: 5 }, { maxAttempts: 1 }],
    ] as const) {
      const { transport, peer } = dialRawServer({ peer: "multiplexed", retry: ofTransport });
      const call = createEchoServiceClient(transport).say({}, { retry: ofCall });
      await refuse(await peer(), 1);
      await assert.rejects(call, { rawMessage: full, notStarted: true });
      await transport.close();
    }
  });

  test("is not made again once it was canceled", async (t) => {
    const pass = useFakeTime(t);
    const { transport, peer } = dialRawServer({
      peer: "multiplexed",
      retry: { initialBackoffMs: 60_000, maxBackoffMs: 60_000 },
    });
    const controller = new AbortController();
    const call = createEchoServiceClient(transport).say({}, { signal: controller.signal });
    await pass();
    const raw = await peer();
    raw.write(errorFrame(1, 1, 8n, full));
    await pass(59_000);
    controller.abort();
    await assert.rejects(call, { code: Code.Canceled, notStarted: true });
    await pass(60_000);
    await closeIn(pass, transport);
    assert.equal(raw.frames.filter(({ kind }) => kind === Kind.Invoke).length, 1);
  });

  test("is not made again after its deadline", async (t) => {
    const pass = useFakeTime(t);
    const { transport, peer } = dialRawServer({
      peer: "multiplexed",
      retry: { initialBackoffMs: 60_000, maxBackoffMs: 60_000 },
    });
    const call = createEchoServiceClient(transport).say({}, { timeoutMs: 40 });
    let over = false;
    const ended = assert.rejects(call, { code: Code.DeadlineExceeded, notStarted: true }).then(() => {
      over = true;
    });
    await pass();
    await refuse(await peer(), 1);
    await pass(39);
    assert.equal(over, false);
    await pass(1);
    await ended;
    await closeIn(pass, transport);
  });

  test("is not made again if requests were taken from its stream of requests", async () => {
    await withoutUnhandled(async () => {
      const { transport, peer } = dialRawServer({ peer: "multiplexed", retry: quick });
      const client = createEchoServiceClient(transport);
      const calls = [client.join(each("a", "b")), sentences(client.chat(each("a")))];
      const raw = await peer();
      await refuse(raw, 1);
      await refuse(raw, 2);
      for (const call of calls) {
        await assert.rejects(call as Promise<unknown>, { rawMessage: full, notStarted: true });
      }
      assert.equal(raw.frames.filter(({ kind }) => kind === Kind.Invoke).length, 2);
      await transport.close();
    });
  });

  test("is made again through interceptors, which see one call", async () => {
    let seen = 0;
    const counting: Interceptor = (next) => (request) => {
      seen++;
      return next(request);
    };
    const { transport, peer } = dialRawServer({ peer: "multiplexed", retry: quick, interceptors: [counting] });
    const client = createEchoServiceClient(transport);
    const calls = [client.say({}), sentences(client.repeat({}))];
    const raw = await peer();
    await refuse(raw, 1);
    await refuse(raw, 2);
    await accept(raw, 3);
    await accept(raw, 4);
    await Promise.all(calls);
    assert.equal(seen, 2);
    await transport.close();
  });
});

test("a call whose connection is lost before any of it was handed over is made again on another", async () => {
  const { transport, peer, peers } = dialRawServer({ peer: "multiplexed" });
  const client = createEchoServiceClient(transport);
  const first = client.say({});
  const raw = await peer();
  await accept(raw, 1);
  await first;
  raw.pause();
  const large = assert.rejects(client.say({ attachment: new Uint8Array(200_000) }), {
    code: Code.Unavailable,
    notStarted: false,
  });
  // The connection takes no more now, so the next call stays here.
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = client.say({});
  raw.abort();
  raw.resume();
  await large;
  await accept(await peer(1), 1);
  assert.equal((await waiting).sentence, "ok");
  assert.equal(peers.length, 2);
  await transport.close();
});

test("a call that the peer certainly did not start for another reason than that it is full or going away is made once", async () => {
  const { transport, peer } = dialRawServer({ peer: "multiplexed", retry: quick });
  const call = createEchoServiceClient(transport).say({});
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(errorFrame(1, 1, 2n, 'protocol error: unknown rpc: "/a.B/C"'));
  await assert.rejects(call, { code: Code.Unimplemented, notStarted: true });
  assert.equal(raw.frames.filter(({ kind }) => kind === Kind.Invoke).length, 1);
  await transport.close();
});

/** A client to handlers of say and repeat that fail so many times, and how often each ran. */
function failing(failures: number, code: number, retry?: RetryOptions) {
  const runs = { say: 0, repeat: 0 };
  const handler = new EchoHandler();
  const transport = createRouterTransport(
    (router) =>
      registerEchoService(router, {
        say: (request, context) => {
          if (++runs.say <= failures) {
            throw new DrpcError("broken", code);
          }
          return handler.say(request, context);
        },
        async *repeat(request) {
          runs.repeat++;
          if (request.sentence === "late") {
            yield { sentence: "first" };
          }
          if (runs.repeat <= failures) {
            throw new DrpcError("broken", code);
          }
          yield* handler.repeat(request);
        },
      }),
    { client: { retry } },
  );
  return { transport, runs, client: createEchoServiceClient(transport) };
}

describe("a call that failed after it may have run", () => {
  test("is made again if the user asked for it and the method says that it may be", async () => {
    const { transport, runs, client } = failing(2, Code.Unavailable, quick);
    assert.equal((await client.say({ sentence: "third" })).sentence, "third");
    assert.equal(runs.say, 3);
    await transport.close();
  });

  test("is not if the user did not ask, if the method does not say so, or if the code is another", async () => {
    const unasked = failing(1, Code.Unavailable);
    await assert.rejects(unasked.client.say({}), { rawMessage: "broken", code: Code.Unavailable });
    assert.equal(unasked.runs.say, 1);

    const unsafe = failing(1, Code.Unavailable, quick);
    await assert.rejects(sentences(unsafe.client.repeat({})), { rawMessage: "broken", code: Code.Unavailable });
    assert.equal(unsafe.runs.repeat, 1);

    const other = failing(1, Code.Aborted, quick);
    await assert.rejects(other.client.say({}), { rawMessage: "broken", code: Code.Aborted });
    assert.equal(other.runs.say, 1);

    const asked = failing(1, Code.Aborted);
    const options = { retry: { ...quick, codes: [Code.Aborted] } };
    assert.equal((await asked.client.say({ sentence: "again" }, options)).sentence, "again");
    await Promise.all([unasked, unsafe, other, asked].map(({ transport }) => transport.close()));
  });

  test("fails after maxAttempts with how many there were, and is not marked as not started", async () => {
    const { transport, runs, client } = failing(9, Code.Unavailable, { ...quick, maxAttempts: 4 });
    await assert.rejects(client.say({}), {
      code: Code.Unavailable,
      notStarted: false,
      rawMessage: "broken (attempt 4 of 4)",
    });
    assert.equal(runs.say, 4);
    await transport.close();
  });

  test("is made again before its first response only", async () => {
    const { transport, runs } = failing(1, Code.Unavailable, quick);
    // Idempotent, as its .proto could say.
    const repeat = { ...EchoService.method.repeat, idempotency: 2 as const };
    const client = createClient({ ...EchoService, methods: [repeat], method: { repeat } } as never, transport) as {
      readonly repeat: ReturnType<typeof createEchoServiceClient>["repeat"];
    };
    assert.deepEqual(await sentences(client.repeat({ sentence: "x", times: 2 })), ["x", "x"]);
    assert.equal(runs.repeat, 2);
    runs.repeat = 0;
    await assert.rejects(sentences(client.repeat({ sentence: "late" })), { rawMessage: "broken" });
    assert.equal(runs.repeat, 1);
    await transport.close();
  });

  test("is made again after its connection was lost", async () => {
    const { transport, peer, peers } = dialRawServer({ peer: "multiplexed", retry: quick });
    const call = createEchoServiceClient(transport).say({});
    const raw = await peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.close();
    await accept(await peer(1), 1);
    assert.equal((await call).sentence, "ok");
    assert.equal(peers.length, 2);
    await transport.close();
  });

  test("is not marked as not started when it is canceled before the next attempt", async (t) => {
    const pass = useFakeTime(t);
    const { transport, peer } = dialRawServer({
      peer: "multiplexed",
      retry: { initialBackoffMs: 60_000, maxBackoffMs: 60_000 },
    });
    const controller = new AbortController();
    const call = createEchoServiceClient(transport).say({}, { signal: controller.signal });
    await pass();
    (await peer()).close();
    await pass();
    controller.abort();
    await assert.rejects(call, { code: Code.Canceled, notStarted: false });
    await closeIn(pass, transport);
  });
});

test("the Trailer of an attempt that is made again is not told, and a Header is the end of attempts", async () => {
  const told: (string | undefined)[] = [];
  let runs = 0;
  const transport = createRouterTransport(
    (router) =>
      registerEchoService(router, {
        say: ({ sentence }, context) => {
          runs++;
          if (sentence === "header") {
            context.responseHeader.set("run", "h");
          }
          context.responseTrailer.set("run", String(runs));
          if (runs < 3) {
            throw new DrpcError("broken", Code.Unavailable);
          }
          return { sentence };
        },
      }),
    { client: { retry: quick } },
  );
  const client = createEchoServiceClient(transport);
  const options = {
    onHeader: (header: Metadata) => told.push(header.get("run")),
    onTrailer: (trailer: Metadata) => told.push(trailer.get("run")),
  };
  assert.equal((await client.say({ sentence: "x" }, options)).sentence, "x");
  assert.deepEqual(told.splice(0), ["3"]);
  runs = 0;
  await assert.rejects(client.say({ sentence: "header" }, options), { rawMessage: "broken" });
  assert.deepEqual(told, ["h", "1"]);
  assert.equal(runs, 1);
  await transport.close();
});

test("retry options that are wrong are refused by name", async () => {
  const client = failing(0, 0).client;
  for (const [retry, message] of [
    [{ maxAttempts: 0 }, /^retry.maxAttempts must be a whole number from 1 to 10, got 0$/],
    [{ maxAttempts: 11 }, /^retry.maxAttempts must be a whole number from 1 to 10, got 11$/],
    [{ codes: Code.Unavailable }, /^retry.codes must be an array of codes, got 14$/],
    [{ codes: ["unavailable"] }, /^retry.codes must be an array of codes, got "unavailable"$/],
    [{ initialBackoffMs: 0 }, /^retry.initialBackoffMs must be .* got 0$/],
    [{ maxBackoffMs: 0.5 }, /^retry.maxBackoffMs must be .* got 0.5$/],
    [true, /^retry must be an object, got true$/],
  ] as const) {
    assert.throws(() => failing(0, 0, retry as RetryOptions), { message });
    await assert.rejects(client.say({}, { retry: retry as RetryOptions }), { message });
  }
});
