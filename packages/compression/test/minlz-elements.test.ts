// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { minlz } from "@ts-drpc/compression";
import fc from "fast-check";

type Kind = "literals" | "repeat" | "copy1" | "copy2" | "fused copy2" | "copy3";

/** What a random block is made of. Numbers are cut to what its kind can say where it stands. */
interface Element {
  readonly kind: Kind;
  readonly length: number;
  readonly offset: number;
  readonly literals: number;
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => (value >>> (8 * index)) & 255);
}

/** Returns the value of a length's field, and the bytes that follow. */
function lengthField(length: number, least: number, longFrom: number, leastLong: number): [number, number[]] {
  if (length < least + longFrom) {
    return [length - least, []];
  }
  const rest = length - leastLong;
  const bytes = rest < 256 ? 1 : rest < 65_536 ? 2 : 3;
  return [longFrom + bytes - 1, littleEndian(rest, bytes)];
}

/** BlockWriter writes a block by the specification, and what it stands for by the plainest of loops. */
class BlockWriter {
  readonly message: number[] = [];
  readonly body: number[] = [];
  #lastOffset = 1;

  add({ kind, length, offset, literals }: Element): void {
    const at = this.message.length;
    switch (kind) {
      case "literals": {
        const [field, more] = lengthField(length, 1, 29, 30);
        this.body.push(field << 3, ...more, ...this.#fresh(length));
        return;
      }
      case "repeat": {
        if (this.#lastOffset <= at) {
          const [field, more] = lengthField(length, 1, 29, 30);
          this.body.push((field << 3) | 4, ...more);
          this.#copy(this.#lastOffset, length);
        }
        return;
      }
      case "copy1": {
        if (at > 0) {
          const back = 1 + (offset % Math.min(at, 1_024));
          const copied = 4 + (length % 270);
          const [field, more] = copied < 19 ? [copied - 4, []] : [15, [copied - 18]];
          const stored = back - 1;
          this.body.push(1 | (field << 2) | ((stored & 3) << 6), stored >> 2, ...more);
          this.#copy(back, copied);
        }
        return;
      }
      case "copy2": {
        if (at >= 64) {
          const back = 64 + (offset % Math.min(at - 63, 65_536));
          const copied = Math.max(4, length);
          const [field, more] = lengthField(copied, 4, 61, 64);
          this.body.push(2 | (field << 2), ...littleEndian(back - 64, 2), ...more);
          this.#copy(back, copied);
        }
        return;
      }
      case "fused copy2": {
        const before = 1 + (literals % 4);
        if (at + before >= 64) {
          const back = 64 + (offset % Math.min(at + before - 63, 65_536));
          const field = length % 8;
          this.body.push(3 | ((before - 1) << 3) | (field << 5), ...littleEndian(back - 64, 2), ...this.#fresh(before));
          this.#copy(back, 4 + field);
        }
        return;
      }
      case "copy3": {
        const before = literals % 4;
        if (at + before >= 65_536) {
          const back = 65_536 + (offset % (at + before - 65_535));
          const copied = Math.max(4, length);
          const [field, more] = lengthField(copied, 4, 61, 64);
          const bits = 7 | (before << 3) | (field << 5) | ((back - 65_536) << 11);
          this.body.push(...littleEndian(bits, 4), ...more, ...this.#fresh(before));
          this.#copy(back, copied);
        }
      }
    }
  }

  #fresh(count: number): number[] {
    const bytes = Array.from({ length: count }, (_, index) => (this.message.length * 31 + index * 7) & 255);
    this.message.push(...bytes);
    return bytes;
  }

  #copy(offset: number, length: number): void {
    this.#lastOffset = offset;
    for (let count = 0; count < length; count++) {
      this.message.push(this.message[this.message.length - offset] as number);
    }
  }
}

const element: fc.Arbitrary<Element> = fc.record({
  kind: fc.constantFrom<Kind>("literals", "repeat", "copy1", "copy2", "fused copy2", "copy3"),
  length: fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 1_000 }),
    fc.constantFrom(286, 320, 66_000),
  ),
  offset: fc.nat(200_000),
  literals: fc.nat(3),
});

test("every element of the MinLZ specification means what it says", () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 30 }), fc.boolean(), (elements, far) => {
      const writer = new BlockWriter();
      writer.add({ kind: "literals", length: far ? 70_000 : 5, offset: 0, literals: 0 });
      for (const each of elements) {
        writer.add(each);
      }
      // A block may not be larger than what it holds.
      writer.add({ kind: "copy1", length: 269, offset: 0, literals: 0 });
      const { length } = writer.message;
      const head = [0, (length & 127) | 128, ((length >> 7) & 127) | 128, ((length >> 14) & 127) | 128, length >> 21];
      const message = minlz.decompress(Uint8Array.from([...head, ...writer.body]), length);
      assert.ok(Buffer.from(message).equals(Uint8Array.from(writer.message)));
    }),
    { numRuns: 300 },
  );
});
