// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SessionOptions } from "../../src/session/session-options.js";
import { flowPair, type HoldingReceiver, turn } from "./flow-pair.js";

interface Scenario {
  readonly options: SessionOptions;

  /** The sizes of the messages of each stream. */
  readonly streams: readonly (readonly number[])[];

  /** Says which stream is read next. */
  readonly choices: Iterator<number>;
  readonly chunkBytes?: number;
}

/** A stream of a client that sends, seen from the server. */
interface Upload {
  readonly streamId: number;
  left: number;
}

/**
 * Lets a client send on all streams at once, and the server wait for a message here and there. Returns how much the server
 * held at most. Fails if a stream fails, if anything is lost, or if what is waited for does not come.
 */
async function run({ options, streams, choices, chunkBytes }: Scenario): Promise<number> {
  const pair = await flowPair(options, chunkBytes === undefined ? {} : { chunkBytes });
  const { server, receivers } = pair;
  const uploads = streams.map((sizes): Upload => {
    const { stream } = pair.open();
    void (async () => {
      for (const bytes of sizes) {
        await stream.send(new Uint8Array(bytes));
      }
      stream.closeSend();
    })().catch(() => undefined);
    return { streamId: stream.id, left: sizes.length };
  });
  await pair.until(() => receivers.size === streams.length);
  let most = 0;
  for (let unread = uploads.filter(({ left }) => left > 0); unread.length > 0; ) {
    const upload = unread[(choices.next().value as number) % unread.length] as Upload;
    const receiver = receivers.get(upload.streamId) as HoldingReceiver;
    for (let turns = (choices.next().value as number) % 3; turns > 0; turns--) {
      await turn();
    }
    receiver.want();
    await pair.until(() => receiver.unread.length > 0 || receiver.isTerminated);
    assert.ok(!receiver.isTerminated, `a stream failed: ${receiver.terminatedWith?.message}`);
    most = Math.max(most, server.budget.bytes);
    receiver.take();
    upload.left--;
    unread = unread.filter(({ left }) => left > 0);
  }
  await pair.until(() => [...receivers.values()].every(({ isEnded }) => isEnded));
  assert.equal(server.budget.bytes, 0);
  assert.ok(most <= server.limits.maxBufferedBytes);
  pair.end();
  return most;
}

const options = fc
  .record({
    maxMessageBytes: fc.integer({ min: 1, max: 200_000 }),
    // Smaller ones leave no room for what a message costs besides its bytes, nor for the metadata of a call.
    windowBytes: fc.oneof(fc.integer({ min: 300, max: 1_000 }), fc.integer({ min: 1_000, max: 200_000 })),
    more: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300_000 })),
    maxConcurrentStreams: fc.integer({ min: 8, max: 256 }),
    maxUnsentBytes: fc.integer({ min: 1, max: 300_000 }),
  })
  .map(({ more, ...rest }) => {
    const least = rest.maxMessageBytes + rest.windowBytes;
    return { ...rest, maxBufferedBytes: least + more };
  });

test("honest peers never exceed maxBufferedBytes, and whoever reads gets their message, whatever the limits, the messages and the order of reading", async () => {
  await fc.assert(
    fc.asyncProperty(
      options.chain((chosen) =>
        fc.record({
          options: fc.constant(chosen),
          streams: fc.array(
            fc.array(fc.oneof(fc.constant(chosen.maxMessageBytes), fc.nat(chosen.maxMessageBytes)), { maxLength: 5 }),
            { minLength: 1, maxLength: 8 },
          ),
          choices: fc.infiniteStream(fc.nat()),
          chunkBytes: fc.constantFrom(1_000, 10_000, 100_000),
        }),
      ),
      async (scenario) => {
        await run(scenario);
      },
    ),
    { numRuns: 25, endOnFailure: true },
  );
});

test("256 streams that send messages of maxMessageBytes at once fit, and are all read", async () => {
  const sizes = Array.from({ length: 256 }, () => [100_000, 1, 100_000]);
  const choices = fc.sample(fc.infiniteStream(fc.nat()), { numRuns: 1, seed: 7 })[0] as Iterator<number>;
  const limits = { maxMessageBytes: 100_000, windowBytes: 50_000, maxBufferedBytes: 1_000_000 };
  const most = await run({ options: limits, streams: sizes, choices });
  assert.ok(most > 300_000, `only ${most} bytes of 1,000,000 are used`);
});

test("messages that are all half received at the same time are not counted for more than has come", async () => {
  const sizes = Array.from({ length: 20 }, () => [1_100_000]);
  const choices = fc.sample(fc.infiniteStream(fc.nat()), { numRuns: 1, seed: 7 })[0] as Iterator<number>;
  await run({ options: {}, streams: sizes, choices });
});
