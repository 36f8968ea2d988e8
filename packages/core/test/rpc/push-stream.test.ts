// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PushStream } from "../../src/rpc/push-stream.js";

const broken = new Error("broken");
const end = { done: true, value: undefined };
const closed = { rawMessage: "the stream is closed, nothing can be sent on it" };

/** Tells whether a promise is settled by now, all microtasks included. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe("PushStream", () => {
  test("delivers what was pushed before it is read, and resolves each send when its message is taken", async () => {
    const stream = new PushStream<string>();
    const sends = [stream.send("a"), stream.send("b")] as const;
    assert.equal(await settled(sends[0]), false);
    assert.deepEqual(await stream.next(), { done: false, value: "a" });
    await sends[0];
    assert.equal(await settled(sends[1]), false);
    assert.deepEqual(await stream.next(), { done: false, value: "b" });
    await sends[1];
  });

  test("delivers to readers that already wait, in their order", async () => {
    const stream = new PushStream<string>();
    const reads = [stream.next(), stream.next()];
    await stream.send("a");
    await stream.send("b");
    assert.deepEqual(await Promise.all(reads), [
      { done: false, value: "a" },
      { done: false, value: "b" },
    ]);
  });

  test("delivers what waits after it was closed, then ends, every time it is asked", async () => {
    const stream = new PushStream<string>();
    const send = stream.send("a");
    stream.close();
    assert.deepEqual(await stream.next(), { done: false, value: "a" });
    await send;
    assert.deepEqual(await stream.next(), end);
    assert.deepEqual(await stream.next(), end);
  });

  test("ends all readers that wait when it is closed", async () => {
    const stream = new PushStream<string>();
    const reads = [stream.next(), stream.next()];
    stream.close();
    assert.deepEqual(await Promise.all(reads), [end, end]);
  });

  test("delivers what waits, then the failure once, then the end", async () => {
    const stream = new PushStream<string>();
    const send = stream.send("a");
    stream.fail(broken);
    assert.deepEqual(await stream.next(), { done: false, value: "a" });
    await send;
    await assert.rejects(stream.next(), broken);
    assert.deepEqual(await stream.next(), end);
  });

  test("gives the failure to the first of the readers that wait", async () => {
    const stream = new PushStream<string>();
    const reads = [stream.next(), stream.next()] as const;
    stream.fail(broken);
    await assert.rejects(reads[0], broken);
    assert.deepEqual(await reads[1], end);
  });

  test("delivers a failure of any type, undefined too", async () => {
    for (const reason of ["text", undefined, null]) {
      const stream = new PushStream<string>();
      stream.fail(reason);
      await assert.rejects(stream.next(), (thrown) => thrown === reason);
    }
  });

  test("keeps to the first of close and fail", async () => {
    const stream = new PushStream<string>();
    stream.close();
    stream.fail(broken);
    assert.deepEqual(await stream.next(), end);
    const failed = new PushStream<string>();
    failed.fail(broken);
    failed.close();
    await assert.rejects(failed.next(), broken);
  });

  test("rejects what is sent after the end, with the failure if there was one", async () => {
    const stream = new PushStream<string>();
    stream.close();
    await assert.rejects(stream.send("a"), closed);
    const failed = new PushStream<string>();
    failed.fail(broken);
    await assert.rejects(failed.send("a"), broken);
  });
});

describe("a reader of a PushStream", () => {
  test("walks over it as over any iterable", async () => {
    const stream = new PushStream<number>();
    const sends = [1, 2, 3].map((each) => stream.send(each));
    stream.close();
    const seen: number[] = [];
    for await (const each of stream) {
      seen.push(each);
    }
    assert.deepEqual(seen, [1, 2, 3]);
    await Promise.all(sends);
  });

  test("rejects what waits and what comes later when it leaves", async () => {
    const stream = new PushStream<number>();
    const sends = [1, 2, 3].map((each) => stream.send(each));
    const outcomes = Promise.allSettled(sends);
    for await (const each of stream) {
      assert.equal(each, 1);
      break;
    }
    const left = "[canceled] the reader left, nothing more is taken";
    assert.deepEqual(
      (await outcomes).map((outcome) => (outcome.status === "rejected" ? (outcome.reason as Error).message : "taken")),
      ["taken", left, left],
    );
    await assert.rejects(stream.send(4), { message: left });
    assert.deepEqual(await stream.next(), end);
  });

  test("ends the reads that still wait when it leaves", async () => {
    const stream = new PushStream<number>();
    const read = stream.next();
    assert.deepEqual(await stream.return(), end);
    assert.deepEqual(await read, end);
  });

  test("leaves the sender the error that it left with", async () => {
    const stream = new PushStream<number>();
    const send = stream.send(1);
    await stream.return(broken);
    await assert.rejects(send, broken);
    await assert.rejects(stream.send(2), broken);
  });

  test("does not get a failure any more after it has left", async () => {
    const stream = new PushStream<number>();
    const send = stream.send(1);
    stream.fail(broken);
    await stream.return();
    await assert.rejects(send, { rawMessage: "the reader left, nothing more is taken" });
    assert.deepEqual(await stream.next(), end);
  });

  test("gets every message once and in order, whenever it reads", async () => {
    const step = fc.constantFrom("send" as const, "next" as const, "turn" as const);
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const stream = new PushStream<number>();
        const sends: Promise<void>[] = [];
        const reads: Promise<IteratorResult<number>>[] = [];
        for (const each of steps) {
          if (each === "send") {
            sends.push(stream.send(sends.length));
          } else if (each === "next") {
            reads.push(stream.next());
          } else {
            await Promise.resolve();
          }
        }
        stream.close();
        for (let left = sends.length - reads.length; left > 0; left--) {
          reads.push(stream.next());
        }
        const expected = reads.map((_, index) => (index < sends.length ? { done: false, value: index } : end));
        assert.deepEqual(await Promise.all(reads), expected);
        await Promise.all(sends);
      }),
    );
  });
});
