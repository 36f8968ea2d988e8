// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { messageOverheadBytes } from "../../src/session/flow-control.js";
import { Loans } from "../../src/session/loans.js";
import type { Stream } from "../../src/session/stream.js";
import { flowPair, turn } from "./flow-pair.js";

interface FakeStream {
  readonly id: number;
  receivedMessages: number;
  wantsMessage: boolean;
}

/** Loans of 1,000 bytes and the overhead of a message, and what they lend, as "stream/message". */
function setup(): { loans: Loans; lent: string[]; stream(id: number): FakeStream & Stream } {
  const lent: string[] = [];
  const loans = new Loans(1_000, (streamId, message) => lent.push(`${streamId}/${message}`));
  const stream = (id: number): FakeStream => ({ id, receivedMessages: 0, wantsMessage: true });
  return { loans, lent, stream: (id) => stream(id) as FakeStream & Stream };
}

describe("Loans", () => {
  test("lends to a stream whose reader waits, at once or when that begins", () => {
    const { loans, lent, stream } = setup();
    const [read, later] = [stream(1), stream(2)];
    later.wantsMessage = false;
    loans.blocked(read, 10);
    loans.blocked(later, 10);
    assert.deepEqual(lent, ["1/1"]);
    later.wantsMessage = true;
    loans.messageWanted(later);
    assert.deepEqual(lent, ["1/1", "2/1"]);
  });

  test("lends no more than one message of the largest size at once, in the order in which readers wait", () => {
    const { loans, lent, stream } = setup();
    const [one, two, three] = [stream(1), stream(2), stream(3)];
    loans.blocked(one, 1_000 + messageOverheadBytes);
    loans.blocked(two, 600);
    loans.blocked(three, 400);
    assert.deepEqual(lent, ["1/1"]);
    one.receivedMessages++;
    loans.repaid(one);
    assert.deepEqual(lent, ["1/1", "2/1", "3/1"]);
  });

  test("is paid back by a stream that ends", () => {
    const { loans, lent, stream } = setup();
    const [one, two] = [stream(1), stream(2)];
    loans.blocked(one, 1_000);
    loans.blocked(two, 1_000);
    loans.ended(one);
    assert.deepEqual(lent, ["1/1", "2/1"]);
    loans.ended(one);
    loans.blocked(one, 1_000);
    assert.deepEqual(lent, ["1/1", "2/1"], "what is paid back twice counts once");
  });

  test("lends to those behind a stream that ended, or got its message by itself, without anything being paid back", () => {
    const { loans, lent, stream } = setup();
    const [one, two, three, four, five] = [stream(1), stream(2), stream(3), stream(4), stream(5)];
    loans.blocked(one, 600);
    loans.blocked(two, 1_000);
    loans.blocked(three, 200);
    assert.deepEqual(lent, ["1/1"]);
    loans.ended(two);
    assert.deepEqual(lent, ["1/1", "3/1"]);
    loans.blocked(four, 1_000);
    loans.blocked(five, 100);
    four.receivedMessages++;
    loans.repaid(four);
    assert.deepEqual(lent, ["1/1", "3/1", "5/1"]);
  });

  test("does not lend for a message that came by credit of its own meanwhile", () => {
    const { loans, lent, stream } = setup();
    const [one, two] = [stream(1), stream(2)];
    loans.blocked(one, 1_000);
    loans.blocked(two, 1_000);
    two.receivedMessages++;
    loans.repaid(one);
    assert.deepEqual(lent, ["1/1"]);
    loans.blocked(two, 500);
    assert.deepEqual(lent, ["1/1", "2/2"]);
  });

  test("lends nothing for a message that is too large, and nothing twice for one", () => {
    const { loans, lent, stream } = setup();
    const one = stream(1);
    loans.blocked(one, 1_001 + messageOverheadBytes);
    loans.blocked(one, 100);
    for (let times = 0; times < 100; times++) {
      loans.blocked(one, 100);
      loans.messageWanted(one);
    }
    assert.deepEqual(lent, ["1/1"]);
  });

  test("never has more lent than the reserve, and keeps nothing of streams that have ended, whatever the peer says", () => {
    const step = fc.record({
      what: fc.constantFrom("blocked", "want", "arrive", "consume", "end"),
      stream: fc.nat(4),
      cost: fc.integer({ min: 1, max: 1_200 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const streams = Array.from({ length: 5 }, (_, id) => ({ id, receivedMessages: 0, wantsMessage: false }));
        const costs = new Map<number, number>();
        const owed = new Map<number, number>();
        const loans = new Loans(1_000, (streamId) => owed.set(streamId, costs.get(streamId) as number));
        for (const { what, stream, cost } of steps) {
          const each = streams[stream] as FakeStream & Stream;
          if (what === "blocked") {
            const was = costs.get(stream);
            costs.set(stream, cost);
            loans.blocked(each, cost);
            if (cost > 1_000 + messageOverheadBytes && was !== undefined) {
              costs.set(stream, was);
            }
          } else if (what === "want") {
            each.wantsMessage = true;
            loans.messageWanted(each);
          } else if (what === "arrive") {
            each.receivedMessages++;
            each.wantsMessage = false;
          } else if (what === "consume") {
            owed.delete(stream);
            loans.repaid(each);
          } else {
            owed.delete(stream);
            loans.ended(each);
          }
          const sum = [...owed.values()].reduce((total, each) => total + each, 0);
          assert.ok(sum <= 1_000 + messageOverheadBytes, `${sum} bytes are lent`);
        }
        for (const each of streams) {
          owed.delete(each.id);
          loans.ended(each as FakeStream & Stream);
        }
        const last = { id: 9, receivedMessages: 0, wantsMessage: true } as FakeStream & Stream;
        costs.set(9, 1_000 + messageOverheadBytes);
        loans.blocked(last, 1_000 + messageOverheadBytes);
        assert.ok(owed.has(9), "the whole reserve is not there again");
      }),
    );
  });
});

test("whoever reads gets the next large message, although others that nobody reads have taken all the room", async () => {
  const options = { maxMessageBytes: 100_000, windowBytes: 100_000, maxBufferedBytes: 400_000 };
  const pair = await flowPair(options);
  const uploads = Array.from({ length: 20 }, () => {
    const { stream } = pair.open();
    void (async () => {
      for (let message = 0; message < 3; message++) {
        await stream.send(new Uint8Array(100_000));
      }
      stream.closeSend();
    })();
    return stream.id;
  });
  await pair.until(() => pair.receivers.size === 20);
  for (let turns = 0; turns < 20; turns++) {
    await turn();
  }
  for (const streamId of uploads) {
    const receiver = pair.receivers.get(streamId);
    for (let message = 0; message < 3; message++) {
      receiver?.want();
      await pair.until(() => (receiver?.unread.length ?? 0) > 0);
      receiver?.take();
    }
    await pair.until(() => receiver?.isEnded === true);
  }
  assert.equal(pair.server.budget.bytes, 0);
  pair.end();
});

test("a message that is kept until its stream ends counts as held, and what was lent for it is not lent again before", async () => {
  const pair = await flowPair({ maxMessageBytes: 100_000, windowBytes: 100_000, maxBufferedBytes: 200_000 });
  const { stream } = pair.open();
  await pair.until(() => pair.receivers.size === 1);
  const receiver = pair.receivers.get(stream.id);
  receiver?.want();
  await stream.send(new Uint8Array(100_000));
  await pair.until(() => receiver?.unread.length === 1);
  receiver?.stream.keep(receiver.unread.shift() as number);
  assert.equal(pair.server.budget.bytes, 100_000 + messageOverheadBytes);
  const other = pair.open();
  let sent = false;
  void other.stream.send(new Uint8Array(100_000))?.then(() => {
    sent = true;
  });
  await pair.until(() => pair.receivers.size === 2);
  pair.receivers.get(other.stream.id)?.want();
  for (let turns = 0; turns < 20; turns++) {
    await turn();
  }
  assert.ok(!sent);
  stream.close();
  await pair.until(() => sent);
  await pair.until(() => pair.receivers.get(other.stream.id)?.unread.length === 1);
  assert.equal(pair.server.budget.bytes, 100_000 + messageOverheadBytes);
  pair.end();
});
