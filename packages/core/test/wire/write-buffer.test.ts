// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { firstByte } from "../../src/wire/frame-header.js";
import { WriteBuffer } from "../../src/wire/write-buffer.js";
import { concat, encode, type Frame, frame } from "./frames.js";

function append(buffer: WriteBuffer, { kind, done, control, streamId, messageId, data }: Frame): void {
  buffer.append(firstByte(kind, done, control), streamId, messageId, data, 0, data.length);
}

function takeAll(buffer: WriteBuffer): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (let bytes = buffer.take(); bytes !== undefined; bytes = buffer.take()) {
    taken.push(bytes);
  }
  return taken;
}

/** Bytes that differ from place to place, so that nothing can be swapped unseen. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    bytes[at] = at * 31 + seed;
  }
  return bytes;
}

function total(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

describe("WriteBuffer", () => {
  test("gathers small frames into one piece", () => {
    const buffer = new WriteBuffer();
    append(buffer, frame({ kind: 1, data: "/a.B/C" }));
    append(buffer, frame({ messageId: 2, data: "hi" }));
    append(buffer, frame({ kind: 6, messageId: 3 }));
    assert.deepEqual(takeAll(buffer).map(toHex), ["030101062f612e422f43" + "050102026869" + "0d010300"]);
  });

  test("has nothing to take when it is new, and when all was taken", () => {
    const buffer = new WriteBuffer();
    assert.equal(buffer.take(), undefined);
    append(buffer, frame());
    assert.equal(takeAll(buffer).length, 1);
    assert.equal(buffer.take(), undefined);
    assert.equal(buffer.bytes, 0);
  });

  test("sends only the part of the data that it was told to", () => {
    const buffer = new WriteBuffer();
    buffer.append(0x04, 1, 2, pattern(10, 0), 3, 7);
    assert.equal(toHex(concat(takeAll(buffer))), `04010204${toHex(pattern(10, 0).subarray(3, 7))}`);
  });

  test("copies the data, so that the caller may use it again", () => {
    const buffer = new WriteBuffer();
    const data = pattern(8, 0);
    buffer.append(0x05, 1, 1, data, 0, 8);
    data.fill(0);
    assert.equal(toHex(concat(takeAll(buffer))), `05010108${toHex(pattern(8, 0))}`);
  });

  test("starts small and grows, so that a large frame is few pieces", () => {
    const buffer = new WriteBuffer();
    const large = frame({ data: pattern(1_000_000, 1) });
    append(buffer, large);
    const taken = takeAll(buffer);
    assert.ok((taken[0]?.buffer.byteLength ?? 0) <= 4_096, "an idle connection holds little");
    assert.ok(taken.length <= 22, `a megabyte is ${taken.length} pieces`);
    assert.equal(Buffer.compare(concat(taken), encode(large)), 0);
  });

  test("holds little once all was taken, however much it was", () => {
    const buffer = new WriteBuffer();
    for (const length of [1_000_000, 30_000, 3_000, 10, 200_000]) {
      append(buffer, frame({ data: pattern(length, 1) }));
      takeAll(buffer);
      assert.ok(buffer.heldBytes <= 2_048, `${buffer.heldBytes} bytes are held behind a frame of ${length}`);
    }
    append(buffer, frame({ data: pattern(200_000, 1) }));
    buffer.clear();
    assert.ok(buffer.heldBytes <= 2_048, `${buffer.heldBytes} bytes are held when all was dropped`);
  });

  test("takes what it gathers again and again in one piece, and small slabs again for small frames", () => {
    const buffer = new WriteBuffer();
    const turn = (length: number): Uint8Array[] => {
      append(buffer, frame({ data: pattern(length, 1) }));
      return takeAll(buffer);
    };
    turn(20_000);
    for (let round = 0; round < 10; round++) {
      assert.equal(turn(20_000).length, 1);
      assert.equal(turn(10).length, 1);
    }
    const slabs = Array.from({ length: 10 }, () => turn(10)[0]?.buffer.byteLength ?? 0);
    assert.equal(slabs.at(-1), 2_048);
  });

  test("keeps a header in one piece wherever a slab ends", () => {
    for (let room = 0; room <= 40; room++) {
      const buffer = new WriteBuffer();
      const filler = frame({ data: pattern(2_048 - 5 - room, 1) });
      const next = frame({
        streamId: Number.MAX_SAFE_INTEGER,
        messageId: Number.MAX_SAFE_INTEGER,
        data: pattern(300, 2),
      });
      append(buffer, filler);
      append(buffer, next);
      assert.equal(
        toHex(concat(takeAll(buffer))),
        toHex(encode(filler)) + toHex(encode(next)),
        `with ${room} bytes of room`,
      );
    }
  });

  test("drops all that waits when it is cleared, and goes on behind that", () => {
    const buffer = new WriteBuffer();
    append(buffer, frame({ data: pattern(100_000, 1) }));
    buffer.clear();
    assert.equal(buffer.bytes, 0);
    assert.equal(buffer.take(), undefined);
    append(buffer, frame({ data: "x" }));
    assert.deepEqual(takeAll(buffer).map(toHex), ["0501010178"]);
  });

  test("gives exactly the frames, in order, and never touches what it gave, whatever is appended and taken when", () => {
    const size = fc.oneof(fc.nat(40), fc.nat(3_000), fc.integer({ min: 60_000, max: 140_000 }));
    const id = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.maxSafeNat());
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(size, id, id).map(([length, streamId, messageId]) => ({ length, streamId, messageId })),
      },
      { weight: 2, arbitrary: fc.constant("take" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const buffer = new WriteBuffer();
        const appended: Uint8Array[] = [];
        const taken: Uint8Array[] = [];
        const copies: Uint8Array[] = [];
        const take = (): boolean => {
          const bytes = buffer.take();
          if (bytes !== undefined) {
            taken.push(bytes);
            copies.push(bytes.slice());
          }
          return bytes !== undefined;
        };
        for (const [index, each] of steps.entries()) {
          if (each === "take") {
            take();
          } else {
            const next = frame({
              streamId: each.streamId,
              messageId: each.messageId,
              data: pattern(each.length, index),
            });
            appended.push(encode(next));
            append(buffer, next);
          }
          assert.equal(buffer.bytes, total(appended) - total(copies));
        }
        while (take()) {}
        assert.equal(
          Buffer.compare(Buffer.concat(copies), Buffer.concat(appended)),
          0,
          "other bytes were taken than appended",
        );
        assert.equal(
          Buffer.compare(Buffer.concat(taken), Buffer.concat(copies)),
          0,
          "bytes changed after they were taken",
        );
        assert.ok(taken.every(({ length }) => length > 0));
      }),
      { numRuns: 50 },
    );
  });
});
