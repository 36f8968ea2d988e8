// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import fc from "fast-check";
import { type EchoPair, echoPair } from "./harness.js";

/** A call, and how it is to end. */
interface Script {
  readonly kind: "unary" | "server" | "client" | "bidi";

  /** The size of each message. */
  readonly sizes: readonly number[];

  /** What becomes of the call before its end. */
  readonly fate: "completes" | "fails" | "is canceled" | "is left";
}

const script: fc.Arbitrary<Script> = fc.record({
  kind: fc.constantFrom("unary", "server", "client", "bidi"),
  sizes: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.nat(300) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 140_000 }) },
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
  fate: fc.oneof(
    { weight: 4, arbitrary: fc.constant("completes" as const) },
    { weight: 1, arbitrary: fc.constantFrom("fails" as const, "is canceled" as const, "is left" as const) },
  ),
});

const options = fc.record({
  chunkBytes: fc.oneof(fc.integer({ min: 1_000, max: 100_000 }), fc.constant(undefined), fc.constant(7)),
  windowBytes: fc.constantFrom(500, 20_000, 1 << 20),
  maxUnsentBytes: fc.constantFrom(100, 50_000, 1 << 18),
  maxConcurrentStreams: fc.constantFrom(13, 256),
});

const failing = "this one fails";

/** Content that tells which call and which message it belongs to. */
function content(call: number, message: number, size: number): Uint8Array {
  return new Uint8Array(size).fill((call * 31 + message * 7) & 0xff);
}

test("any number of calls of all kinds beside each other end once each, with the right result, and the connection stays", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { minLength: 1, maxLength: 12 }),
      options,
      fc.boolean(),
      async (scripts, { chunkBytes, ...limits }, known) => {
        await using pair = echoPair(
          {
            say: ({ sentence, attachment }) => answer(sentence, attachment),
            async *repeat({ sentence, times, attachment }) {
              for (let count = 0; count < times; count++) {
                yield answer(sentence, attachment);
              }
            },
            async join(requests) {
              let size = 0;
              let name = "";
              for await (const { sentence, attachment } of requests) {
                name = sentence;
                size += attachment.length;
              }
              return { ...answer(name, new Uint8Array(0)), sentence: String(size) };
            },
            async *chat(requests) {
              for await (const { sentence, attachment } of requests) {
                yield answer(sentence, attachment);
              }
            },
          },
          { pair: { chunkBytes }, client: { ...limits, maxConnections: 1 }, server: limits },
        );
        if (known) {
          await pair.client.say({ sentence: "first" });
        }
        await Promise.all(scripts.map((each, call) => run(pair, each, call)));
        assert.equal((await pair.client.say({ sentence: "still" })).sentence, "still");
        // One whose peer is not known yet is given up if calls were canceled on it and it did not answer.
        assert.ok(pair.served.length === 1 || !known);
        assert.deepEqual(pair.errors, []);
      },
    ),
    { numRuns: 40, includeErrorInReport: true },
  );
});

function answer(sentence: string, attachment: Uint8Array): { sentence: string; attachment: Uint8Array } {
  if (sentence === failing) {
    throw new DrpcError(failing, Code.Aborted);
  }
  return { sentence, attachment };
}

async function run(pair: EchoPair, { kind, sizes, fate }: Script, call: number): Promise<void> {
  const { client } = pair;
  const controller = new AbortController();
  const { signal } = controller;
  const sentence = fate === "fails" ? failing : `call ${call}`;
  const requests = async function* (): AsyncGenerator<{ sentence: string; attachment: Uint8Array }> {
    for (const [message, size] of sizes.entries()) {
      if (fate === "is canceled" && message === sizes.length - 1) {
        controller.abort();
      }
      yield { sentence, attachment: content(call, message, size) };
    }
  };
  const first = content(call, 0, sizes[0] ?? 0);
  const outcome = (async () => {
    if (kind === "unary") {
      const response = client.say({ sentence, attachment: first }, { signal });
      if (fate === "is canceled") {
        controller.abort();
      }
      assert.deepEqual((await response).attachment, first);
      return;
    }
    if (kind === "client") {
      const { sentence: total } = await client.join(requests(), { signal });
      assert.equal(total, String(sizes.reduce((sum, size) => sum + size, 0)));
      return;
    }
    const single = kind === "server";
    const responses = single
      ? client.repeat({ sentence, times: sizes.length, attachment: first }, { signal })
      : client.chat(requests(), { signal });
    let count = 0;
    for await (const { attachment } of responses) {
      assert.deepEqual(attachment, single ? first : content(call, count, sizes[count] ?? 0));
      count++;
      if (fate === "is left") {
        return;
      }
      if (fate === "is canceled") {
        controller.abort();
      }
    }
    assert.equal(count, sizes.length);
  })();
  if (fate === "completes" || fate === "is left") {
    await outcome;
    return;
  }
  const code = fate === "fails" ? Code.Aborted : Code.Canceled;
  const reason = await outcome.catch((error: unknown) => error);
  if (fate === "is canceled" && reason === undefined) {
    // The end had come already.
    return;
  }
  assert.ok(reason instanceof DrpcError, String(reason));
  assert.equal(reason.code, code, reason.message);
}
