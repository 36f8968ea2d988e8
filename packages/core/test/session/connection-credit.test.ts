// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectionCredit } from "../../src/session/connection-credit.js";

interface Setup {
  readonly credit: ConnectionCredit;
  readonly events: string[];

  /** Wants to send, and notes what becomes of it. */
  spend(streamId: number, cost: number): void;
}

function setup(windowBytes?: number, streamWindowBytes = windowBytes ?? 0): Setup {
  const credit = new ConnectionCredit();
  if (windowBytes !== undefined) {
    credit.limit(windowBytes, streamWindowBytes);
  }
  const events: string[] = [];
  return {
    credit,
    events,
    spend(streamId, cost) {
      const waits = credit.spend(streamId, cost);
      if (waits === undefined) {
        events.push(`sent ${streamId}`);
      } else {
        waits.then(
          () => events.push(`sent ${streamId} late`),
          (reason: Error) => events.push(`dropped ${streamId}: ${reason.message}`),
        );
      }
    },
  };
}

/** Lets what was promised be told. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tells how much credit there is, as far as that is positive, and leaves none. */
function remaining(credit: ConnectionCredit): number {
  let bytes = 0;
  for (; credit.spend(-1, 1) === undefined; bytes++);
  return bytes;
}

test("nothing waits while the peer is not known to have a window", async () => {
  const { events, spend } = setup();
  spend(1, 1e9);
  spend(2, 1e9);
  assert.deepEqual(events, ["sent 1", "sent 2"]);
});

test("what was sent before the window was known is spent", async () => {
  const { credit, events, spend } = setup();
  spend(1, 1_000);
  credit.limit(400, 400);
  spend(1, 1);
  credit.grant(600);
  await told();
  assert.deepEqual(events, ["sent 1"]);
  credit.grant(1);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 1 late"]);
});

test("messages that wait go one after the other, so that a small one does not overtake a large one for ever", async () => {
  const { credit, events, spend } = setup(100);
  spend(1, 90);
  spend(2, 40);
  spend(3, 5);
  assert.deepEqual(events, ["sent 1"]);
  credit.grant(20);
  await told();
  assert.deepEqual(events, ["sent 1"], "30 do not cover the 40 of the first, and the 5 wait behind it");
  credit.grant(10);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2 late"]);
  credit.grant(5);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2 late", "sent 3 late"]);
});

test("a message that is larger than the window of a stream leaves half of the connection's for those that are not", async () => {
  const { credit, events, spend } = setup(1_000, 100);
  spend(1, 300);
  spend(2, 300);
  assert.deepEqual(events, ["sent 1"], "700 are left, and 800 would be needed");
  for (let streamId = 3; streamId <= 9; streamId++) {
    spend(streamId, 100);
  }
  assert.deepEqual(
    events.slice(1),
    [3, 4, 5, 6, 7, 8, 9].map((streamId) => `sent ${streamId}`),
  );
  spend(10, 1);
  credit.grant(1);
  await told();
  assert.deepEqual(events.slice(8), ["sent 10 late"], "a small one does not wait behind a large one");
  credit.grant(800);
  await told();
  assert.deepEqual(events.slice(9), ["sent 2 late"]);
});

test("a message of half of the window or more goes as soon as all has come back that is worth a grant", async () => {
  const { credit, events, spend } = setup(800, 100);
  spend(1, 100);
  spend(2, 600);
  assert.deepEqual(events, ["sent 1", "sent 2"], "all but an eighth is there");
  spend(3, 101);
  spend(4, 5);
  credit.grant(401);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2", "sent 4"], "half of the window must be left");
  credit.grant(5);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2", "sent 4", "sent 3 late"]);
});

test("a message that is larger than all that surely comes back waits until it is lent what it needs", async () => {
  const { credit, events, spend } = setup(800, 100);
  spend(1, 5_000);
  spend(2, 50);
  assert.deepEqual(events, ["sent 2"]);
  credit.lent(1);
  await told();
  assert.deepEqual(events, ["sent 2", "sent 1 late"]);
  credit.grant(5_000);
  assert.equal(remaining(credit), 750, "what was lent is spent like any other credit");
});

test("a loan lets in the message that its stream has waiting, ahead of the others, and no other", async () => {
  const { credit, events, spend } = setup(100, 20);
  spend(1, 20);
  spend(1, 80);
  spend(2, 20);
  spend(3, 70);
  spend(4, 60);
  assert.deepEqual(events, ["sent 1", "sent 2"]);
  credit.lent(4);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2", "sent 4 late"]);
  credit.lent(4);
  credit.lent(5);
  await told();
  assert.deepEqual(events, ["sent 1", "sent 2", "sent 4 late"]);
  assert.equal(remaining(credit), 0, "the credit is below zero until it was granted back");
});

test("a stream that ends takes back what it has waiting, spends nothing for it, and lets others pass", async () => {
  const { credit, events, spend } = setup(100);
  spend(1, 80);
  spend(2, 50);
  spend(2, 30);
  spend(3, 20);
  credit.drop(2, new Error("gone"));
  await told();
  assert.deepEqual(events, ["sent 1", "dropped 2: gone", "dropped 2: gone", "sent 3 late"]);
  assert.equal(remaining(credit), 0);
});

test("a stream that ends with nothing waiting changes nothing", async () => {
  const { credit, events, spend } = setup(100);
  credit.drop(1, new Error("gone"));
  spend(1, 100);
  spend(1, 10);
  credit.drop(2, new Error("gone"));
  await told();
  assert.deepEqual(events, ["sent 1"]);
});

test("whatever is spent, granted and dropped, the credit is the window less what was sent, and nobody waits without need", async () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("spend" as const), stream: fc.nat(4), bytes: fc.integer({ min: 1, max: 150 }) }),
    fc.record({ what: fc.constant("grant" as const), stream: fc.nat(4), bytes: fc.integer({ min: 1, max: 150 }) }),
    fc.record({ what: fc.constant("lend" as const), stream: fc.nat(4), bytes: fc.constant(0) }),
    fc.record({ what: fc.constant("drop" as const), stream: fc.nat(4), bytes: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.array(step, { maxLength: 40 }),
      async (windowBytes, streamWindowBytes, steps) => {
        const credit = new ConnectionCredit();
        credit.limit(windowBytes, streamWindowBytes);
        let sent = 0;
        let granted = 0;
        const waiting: { readonly stream: number; readonly cost: number }[] = [];
        for (const { what, stream, bytes } of steps) {
          // No peer grants what it did not receive.
          const change = what === "grant" ? Math.min(bytes, sent - granted) : bytes;
          if (what === "spend") {
            const waits = credit.spend(stream, change);
            if (waits === undefined) {
              sent += change;
            } else {
              const message = { stream, cost: change };
              waiting.push(message);
              const over = (): unknown => waiting.splice(waiting.indexOf(message), 1);
              waits.then(() => {
                sent += change;
                over();
              }, over);
            }
          } else if (what === "grant") {
            granted += change;
            credit.grant(change);
          } else if (what === "lend") {
            credit.lent(stream);
          } else {
            credit.drop(stream, new Error("gone"));
          }
          await told();
        }
        while (waiting.length > 0) {
          if (sent === granted) {
            const [first] = waiting as [{ stream: number; cost: number }];
            const least = windowBytes - Math.max(1, windowBytes >> 3);
            assert.ok(
              waiting.some(({ cost }) => cost > least),
              "messages wait although all credit is there",
            );
            credit.lent(first.stream);
          }
          credit.grant(sent - granted);
          granted = sent;
          await told();
        }
        credit.grant(sent - granted);
        assert.equal(remaining(credit), windowBytes);
      },
    ),
    { numRuns: 60 },
  );
});
