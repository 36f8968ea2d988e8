// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SessionOptions } from "@ts-drpc/core";
import type { SayRequestSchema } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { assertUsable, echoPair } from "./harness.js";

type Init = MessageInitShape<typeof SayRequestSchema>;

/** The message with this place in a stream, which no other message of any stream is like. */
function nth(stream: number, index: number, bytes: number): Init {
  return { sentence: `${stream}/${index}`, attachment: new Uint8Array(bytes).fill(7 * stream + index) };
}

async function* all(stream: number, sizes: readonly number[]): AsyncGenerator<Init> {
  for (const [index, bytes] of sizes.entries()) {
    yield nth(stream, index, bytes);
  }
}

const little = { windowBytes: 8_192, maxMessageBytes: 200_000, maxBufferedBytes: 216_000 };

interface Limits {
  readonly windows: SessionOptions;
  readonly maxUnsentBytes: number;
}

/** Lets others go on for a while, so that credit comes late. */
async function dawdle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("messages of all sizes arrive as they were, on many streams at once, however long they wait for credit or a turn", async () => {
  const size = fc.oneof(
    fc.nat(40),
    fc.nat(5_000),
    // Around a quarter of the encoder's buffer, which decides whether a message is in it when it has to wait.
    fc.integer({ min: 16_300, max: 16_400 }),
    fc.nat(100_000),
  );
  const streams = fc.array(fc.array(size, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 4 });
  const limits = fc.record({
    // The last leaves little credit for all streams of the connection together.
    windows: fc.constantFrom<SessionOptions>({}, { windowBytes: 1 }, { windowBytes: 4_096 }, little),
    maxUnsentBytes: fc.constantFrom(1, 1_000, 262_144),
  });
  const run = async (
    sent: readonly (readonly number[])[],
    { windows, maxUnsentBytes }: Limits,
    turns: number,
  ): Promise<void> => {
    const options = { ...windows, maxUnsentBytes };
    await using pair = echoPair(undefined, { client: options, server: options });
    const read = async (stream: number, sizes: readonly number[]): Promise<void> => {
      let index = 0;
      for await (const { sentence, attachment } of pair.client.chat(all(stream, sizes))) {
        assert.deepEqual({ sentence, attachment: Uint8Array.from(attachment) }, nth(stream, index, sizes[index] ?? 0));
        index++;
        await dawdle(index % 5 === 0 ? turns : 0);
      }
      assert.equal(index, sizes.length);
    };
    await Promise.all(sent.map((sizes, stream) => read(stream, sizes)));
  };
  await fc.assert(fc.asyncProperty(streams, limits, fc.nat(3), run), { numRuns: 30 });
});

for (const [what, attachment] of [
  ["of what was set before it", new Uint8Array(0)],
  ["of megabytes", new Uint8Array(2_000_000)],
] as const) {
  test(`a message that cannot be encoded behind the first field, ${what}, leaves nothing behind on the wire`, async () => {
    const broken = {
      sentence: attachment.length === 0 ? "written first" : "x".repeat(attachment.length),
      get attachment(): Uint8Array {
        throw new Error("no attachment");
      },
    };
    await using pair = echoPair({
      say: ({ sentence }) => ({ sentence }),
      async *repeat({ sentence }) {
        yield { sentence };
        yield sentence === "still" || sentence === "here" ? { sentence } : broken;
      },
      async join(requests) {
        const parts: string[] = [];
        for await (const { sentence } of requests) {
          parts.push(sentence);
        }
        return { sentence: parts.join(" ") };
      },
      async *chat(requests) {
        for await (const { sentence } of requests) {
          yield { sentence };
        }
      },
    });
    const beside = pair.client.chat(all(1, [5, 5]))[Symbol.asyncIterator]();
    assert.equal((await beside.next()).value?.sentence, "1/0");
    const received: string[] = [];
    await assert.rejects(async () => {
      for await (const { sentence } of pair.client.repeat({ sentence: "a" })) {
        received.push(sentence);
      }
    });
    assert.deepEqual(received, ["a"]);
    await assert.rejects(
      async () => {
        for await (const _response of pair.client.chat(
          (async function* () {
            yield { sentence: "b" };
            yield broken;
          })(),
        )) {
        }
      },
      { message: /the request could not be encoded: .*no attachment/ },
    );
    assert.equal((await beside.next()).value?.sentence, "1/1");
    assert.equal((await beside.next()).done, true);
    await assertUsable(pair);
  });
}

test("a message whose encoding encodes others is as it was", async () => {
  await using pair = echoPair({
    async *repeat() {
      const { client } = pair;
      yield {
        get sentence() {
          // The request of this call is encoded, and sent, while the response is.
          client.say({ sentence: "inner" }).catch(() => undefined);
          void client
            .chat(all(9, [3]))
            [Symbol.asyncIterator]()
            .return?.();
          return "outer";
        },
        attachment: Uint8Array.of(1, 2, 3),
      };
    },
    say: ({ sentence }) => ({ sentence }),
  });
  for await (const { sentence, attachment } of pair.client.repeat({ sentence: "x" })) {
    assert.deepEqual([sentence, Uint8Array.from(attachment)], ["outer", Uint8Array.of(1, 2, 3)]);
  }
});
