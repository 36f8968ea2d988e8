// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { WriteScheduler } from "../../src/session/write-scheduler.js";
import type { Connection } from "../../src/vocabulary/connection.js";
import { Kind } from "../../src/wire/kind.js";
import { type Frame, readFrames, readPackets } from "../wire/frames.js";

const frameBytes = 65_536;
const gone = new Error("gone");

/** A connection that keeps what is written to it, and is busy when told to be. */
function createSink(): { connection: Connection; writes: Uint8Array[]; busy: boolean; frames(): Frame[] } {
  const sink = {
    writes: [] as Uint8Array[],
    busy: false,
    connection: {
      write(bytes: Uint8Array): boolean {
        sink.writes.push(bytes);
        return !sink.busy;
      },
    } as Partial<Connection> as Connection,
    frames: () => readFrames(sink.writes).read,
  };
  return sink;
}

/** Lets all microtasks run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function body(length: number, fill: number = 0x78): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

/** Each frame as its stream, its length and whether it ends its packet. */
function shapes(frames: readonly Frame[]): string[] {
  return frames.map(({ streamId, data, done }) => `${streamId}:${data.length}${done ? "." : ""}`);
}

describe("WriteScheduler", () => {
  test("writes what comes in one turn at once, at the end of it", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1_000);
    scheduler.sendPacket(Kind.Invoke, 1, 1, new TextEncoder().encode("/a.B/C"));
    assert.equal(scheduler.sendMessage(1, 2, new TextEncoder().encode("hi")), undefined);
    scheduler.sendPacket(Kind.CloseSend, 1, 3, body(0));
    scheduler.sendPacket(Kind.Cancel, 2, 4, body(0));
    assert.deepEqual(sink.writes, []);
    await turn();
    assert.deepEqual(sink.writes.map(toHex), ["030101062f612e422f43" + "050102026869" + "0d010300" + "89020400"]);
    assert.equal(scheduler.unsentBytes, 0);
  });

  test("writes the first of many messages of a turn ahead, then twice as many each time, and begins anew with the turn", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1_000_000);
    const ahead: number[] = [];
    for (let round = 0; round < 2; round++) {
      for (let streamId = 1; streamId <= 200; streamId++) {
        const before = sink.writes.length;
        scheduler.sendMessage(streamId, 1, body(1));
        if (sink.writes.length > before) {
          // What belongs to the last message of a write is in it too.
          assert.equal(sink.frames().at(-1)?.kind, Kind.CloseSend);
          ahead.push(streamId - 1);
        }
        scheduler.sendPacket(Kind.CloseSend, streamId, 2, body(0));
      }
      await turn();
    }
    assert.deepEqual(ahead, [32, 96, 32, 96]);
    assert.equal(sink.frames().length, 800);
  });

  test("has its own copy of a message when it writes those before it, as something else may then use its buffer", async () => {
    const sink = createSink();
    const buffer = new Uint8Array(100);
    const { write } = sink.connection;
    sink.connection.write = (bytes) => {
      buffer.fill(0);
      return write(bytes);
    };
    const scheduler = new WriteScheduler(sink.connection, 1_000_000);
    for (let streamId = 1; streamId <= 200; streamId++) {
      scheduler.sendMessage(streamId, 1, buffer.fill(streamId).subarray(0, 3));
    }
    await turn();
    for (const { streamId, data } of sink.frames()) {
      assert.deepEqual(data, body(3, streamId));
    }
  });

  test("hands over nothing ahead while the connection is busy", () => {
    const sink = createSink();
    sink.busy = true;
    const scheduler = new WriteScheduler(sink.connection, 1_000_000);
    for (let streamId = 1; streamId <= 1_000; streamId++) {
      scheduler.sendMessage(streamId, 1, body(1));
    }
    assert.equal(sink.writes.length, 1);
    scheduler.end(gone);
  });

  test("hands over at once when it is told to", () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1_000);
    scheduler.sendPacket(Kind.Close, 1, 1, body(0));
    scheduler.flush();
    assert.equal(sink.writes.length, 1);
  });

  test("cuts packets of every kind as Go does, without an empty frame at the end", async () => {
    const records = golden<{ op: string; size: number; splitSize: number; frames: number[] }>("frames.json");
    for (const { size, splitSize, frames } of records.filter(({ op }) => op === "split")) {
      // Frames are of 64 KiB here, which is Go's default, 0. Other sizes cannot be chosen.
      const expected = splitSize === 0 ? frames : [size];
      const sink = createSink();
      const scheduler = new WriteScheduler(sink.connection, 1_000_000);
      scheduler.sendPacket(Kind.InvokeMetadata, 1, 1, body(size));
      await scheduler.sendMessage(1, 2, body(size));
      await turn();
      const read = sink.frames();
      for (const kind of [Kind.InvokeMetadata, Kind.Message]) {
        const ofKind = read.filter((each) => each.kind === kind);
        assert.deepEqual(
          ofKind.map(({ data }) => data.length),
          expected,
        );
        assert.deepEqual(
          ofKind.map(({ done }) => done),
          expected.map((_, index) => index === expected.length - 1),
        );
      }
    }
  });

  test("lets messages in up to the limit, and from there on makes them wait", async () => {
    const sink = createSink();
    sink.busy = true;
    const scheduler = new WriteScheduler(sink.connection, 100);
    scheduler.sendPacket(Kind.Invoke, 1, 1, body(1));
    await turn();
    assert.equal(scheduler.sendMessage(1, 2, body(200)), undefined, "there was room when it came");
    const waits = scheduler.sendMessage(2, 1, body(1));
    assert.ok(waits instanceof Promise);
    scheduler.sendPacket(Kind.CloseSend, 3, 1, body(0));
    assert.deepEqual(shapes(sink.frames()), ["1:1."], "the connection is busy");
    sink.busy = false;
    scheduler.writable();
    await waits;
    await turn();
    assert.deepEqual(shapes(sink.frames()), ["1:1.", "1:200.", "3:0.", "2:1."]);
  });

  test("copies a small message out of a large buffer before it waits", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 10);
    scheduler.sendMessage(1, 1, body(10));
    const buffer = body(1_000, 0x61);
    const accepted = scheduler.sendMessage(1, 2, buffer.subarray(0, 5));
    buffer.fill(0x62);
    await accepted;
    await turn();
    assert.deepEqual(
      sink.frames().map(({ data }) => toHex(data)),
      [toHex(body(10)), toHex(body(5, 0x61))],
    );
  });

  test("lets streams take turns, so that a large message does not hold up a small one", async () => {
    const sink = createSink();
    sink.busy = true;
    const scheduler = new WriteScheduler(sink.connection, 1);
    const large = scheduler.sendMessage(1, 1, body(3 * frameBytes + 5));
    const small = scheduler.sendMessage(2, 1, body(10));
    const order: string[] = [];
    const settled = [large?.then(() => order.push("large")), small?.then(() => order.push("small"))];
    for (let turns = 0; turns < 6; turns++) {
      scheduler.writable();
      await turn();
    }
    await Promise.all(settled);
    assert.deepEqual(order, ["small", "large"]);
    assert.deepEqual(shapes(sink.frames()), ["1:65536", "2:10.", "1:65536", "1:65536", "1:5."]);
  });

  test("is idle when nothing is left to send, not even the rest of a message, whose id nothing else may overtake", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1);
    assert.ok(scheduler.idle);
    const large = scheduler.sendMessage(1, 1, body(3 * frameBytes));
    assert.equal(scheduler.idle, false);
    sink.busy = true;
    scheduler.flush();
    assert.equal(scheduler.idle, false, "a frame of it has gone, two have not");
    sink.busy = false;
    for (let turns = 0; turns < 4; turns++) {
      scheduler.writable();
      await turn();
    }
    await large;
    assert.ok(scheduler.idle);
  });

  test("drops what a stream has waiting, tells why, and leaves the others", async () => {
    const sink = createSink();
    sink.busy = true;
    const scheduler = new WriteScheduler(sink.connection, 1);
    const large = scheduler.sendMessage(1, 1, body(2 * frameBytes));
    const other = scheduler.sendMessage(2, 1, body(10));
    scheduler.sendPacket(Kind.Cancel, 1, 2, body(0));
    scheduler.drop(1, gone);
    scheduler.drop(7, gone);
    await assert.rejects(large as Promise<void>, gone);
    sink.busy = false;
    scheduler.writable();
    await other;
    await turn();
    assert.deepEqual(shapes(sink.frames()), ["1:65536", "1:0.", "2:10."]);
  });

  test("shares a busy connection by bytes between streams that always have more, of which one has messages that take it all", async () => {
    for (const sizes of [
      [4_194_304, 60_000],
      [4_194_304, 100_000],
      [4_194_304, 1_000],
      [65_536, 1_048_576, 65_536],
    ]) {
      const sink = createSink();
      sink.busy = true;
      const scheduler = new WriteScheduler(sink.connection, 4 * frameBytes);
      for (const [index, size] of sizes.entries()) {
        void (async () => {
          for (let message = 1; ; message++) {
            await scheduler.sendMessage(index + 1, message, body(size));
          }
        })().catch(() => undefined);
      }
      for (let turns = 0; turns < 200; turns++) {
        await turn();
        scheduler.writable();
      }
      scheduler.end(gone);
      const sent = sizes.map(() => 0);
      for (const { streamId, data } of sink.frames()) {
        sent[streamId - 1] = (sent[streamId - 1] ?? 0) + data.length;
      }
      const [least, most] = [Math.min(...sent), Math.max(...sent)];
      assert.ok(most < 1.5 * least, `messages of ${sizes.join(" and ")} bytes: ${sent.join(" and ")} bytes were sent`);
    }
  });

  test("does not write into a busy connection until it is told that it is writable", async () => {
    const sink = createSink();
    sink.busy = true;
    const scheduler = new WriteScheduler(sink.connection, 1_000);
    scheduler.sendPacket(Kind.Close, 1, 1, body(0));
    await turn();
    scheduler.sendPacket(Kind.Close, 2, 1, body(0));
    scheduler.flush();
    await turn();
    assert.equal(sink.writes.length, 1);
    assert.equal(scheduler.unsentBytes, 4);
    scheduler.writable();
    assert.equal(sink.writes.length, 2);
    assert.equal(scheduler.unsentBytes, 0);
  });

  test("drops everything at the end, and rejects what waits and what comes later", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1);
    scheduler.sendPacket(Kind.Invoke, 1, 1, body(10));
    const waits = scheduler.sendMessage(1, 2, body(10));
    scheduler.end(gone);
    await assert.rejects(waits as Promise<void>, gone);
    await assert.rejects(scheduler.sendMessage(1, 3, body(10)) as Promise<void>, gone);
    scheduler.sendPacket(Kind.Close, 1, 4, body(0));
    scheduler.writable();
    scheduler.flush();
    await turn();
    assert.deepEqual(sink.writes, []);
    assert.equal(scheduler.unsentBytes, 0);
  });

  test("stops in the middle when a write ends the connection", async () => {
    const sink = createSink();
    const scheduler = new WriteScheduler(sink.connection, 1_000_000);
    const { write } = sink.connection;
    sink.connection.write = (bytes) => {
      scheduler.end(gone);
      return write(bytes);
    };
    scheduler.sendPacket(Kind.InvokeMetadata, 1, 1, body(4 * frameBytes));
    await turn();
    assert.equal(sink.writes.length, 1);
  });

  test("gives each stream its packets whole and in order, and holds little, whatever is sent when", async () => {
    const maxUnsent = 100_000;
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ stream: fc.integer({ min: 1, max: 4 }), bytes: fc.oneof(fc.nat(50), fc.nat(200_000)) }),
      },
      { weight: 1, arbitrary: fc.constantFrom("busy" as const, "writable" as const, "turn" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const sink = createSink();
        const scheduler = new WriteScheduler(sink.connection, maxUnsent);
        const sent = new Map<number, { length: number; accepted: Promise<unknown> }[]>();
        for (const each of steps) {
          if (typeof each !== "string") {
            // One message at a time, as a stream sends.
            const before = sent.get(each.stream) ?? [];
            const messageId = before.length + 1;
            const accepted = (before.at(-1)?.accepted ?? Promise.resolve()).then(() =>
              scheduler.sendMessage(each.stream, messageId, body(each.bytes, messageId)),
            );
            sent.set(each.stream, [...before, { length: each.bytes, accepted }]);
          } else if (each === "turn") {
            await turn();
          } else {
            sink.busy = each === "busy";
            scheduler.writable();
          }
          assert.ok(scheduler.unsentBytes < maxUnsent + frameBytes + 31, `${scheduler.unsentBytes} bytes are held`);
        }
        sink.busy = false;
        scheduler.writable();
        await Promise.all([...sent.values()].flat().map(({ accepted }) => accepted));
        await turn();
        const { read, error } = readPackets(sink.writes);
        assert.equal(error, undefined);
        for (const [stream, messages] of sent) {
          const bodies = read.filter(({ streamId }) => streamId === stream).map((packet) => packet.body);
          assert.deepEqual(
            bodies.map(({ length }) => length),
            messages.map(({ length }) => length),
          );
          assert.ok(bodies.every((each, index) => each.every((byte) => byte === index + 1)));
        }
      }),
      { numRuns: 30 },
    );
  });
});
