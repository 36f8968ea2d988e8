// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PushStream } from "@ts-drpc/core";
import { MessageIterator, type MessageIteratorInit } from "../src/message-iterator.js";

interface Watched {
  readonly iterator: MessageIterator<number>;
  readonly events: string[];
}

function iterate(open: MessageIteratorInit<number>["open"]): Watched {
  const events: string[] = [];
  const iterator = new MessageIterator<number>({
    open,
    message: (message) => message * 2,
    ended: () => events.push("ended"),
    failure: (reason) => {
      events.push("failure");
      return `it was ${String(reason)}`;
    },
    over: () => events.push("over"),
  });
  return { iterator, events };
}

describe("a message iterator", () => {
  test("gives what an iterable gives, synchronous or not, and tells of its end once", async () => {
    const { iterator, events } = iterate(async () => [1, 2]);
    assert.deepEqual(
      [await iterator.next(), await iterator.next()].map(({ value }) => value),
      [2, 4],
    );
    assert.deepEqual(
      await Promise.all([iterator.next(), iterator.next()]),
      Array(2).fill({ done: true, value: undefined }),
    );
    await iterator.return();
    assert.deepEqual(events, ["ended", "over"]);
  });

  test("passes on at once that its reader left, also while a message is waited for", async () => {
    const source = new PushStream<number>();
    const { iterator, events } = iterate(() => source);
    const waiting = iterator.next();
    await Promise.resolve();
    await iterator.return(new Error("enough"));
    await assert.rejects(source.send(1), /enough/);
    assert.equal((await waiting).done, true);
    await assert.rejects(iterator.throw(new Error("of its own")), /of its own/);
    assert.deepEqual(events, ["over"]);
  });

  test("tells a source that nobody reads it if its reader left before there was one", async () => {
    const source = new PushStream<number>();
    const { iterator } = iterate(async () => source);
    const waiting = iterator.next();
    await iterator.return();
    assert.equal((await waiting).done, true);
    await assert.rejects(source.send(1), /ended before its messages were read/);
  });

  test("ends from outside, whether or not a message is waited for", async () => {
    for (const wait of [true, false]) {
      const { iterator, events } = iterate(() => new PushStream<number>());
      const waiting = wait ? iterator.next() : undefined;
      iterator.fail("late");
      iterator.fail("later");
      const next = waiting ?? iterator.next();
      assert.equal(await next.catch((reason) => reason), "late");
      assert.equal((await iterator.next()).done, true);
      assert.deepEqual(events, ["over"]);
    }
  });

  test("turns what the source throws, or what its message makes throw, into the failure", async () => {
    const broken: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next() {
          throw "broken";
        },
      }),
    };
    const { iterator, events } = iterate(() => broken);
    assert.equal(await iterator.next().catch((reason) => reason), "it was broken");
    assert.equal((await iterator.next()).done, true);
    assert.deepEqual(events, ["failure", "over"]);
  });
});
