// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import { Code, DrpcError, type MessageCompression } from "@ts-drpc/core";
import { golden, hex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";

const maxMessageBytes = 100_000;
const blocks = ["snappy.json", "minlz.json"]
  .flatMap((file) => golden<{ hex: string }>(file))
  .map((vector) => hex(vector.hex))
  .filter(({ length }) => length < 4_000);

/** Messages that hold the same again and again, as real ones do, and some that do not. */
const messages = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 200 })), { maxLength: 6 })
  .map((parts) =>
    Uint8Array.from(
      parts.flatMap(([bytes, times]) =>
        Array(times)
          .fill([...bytes])
          .flat(),
      ),
    ),
  );

/** Blocks that went wrong on their way: a byte is another, is gone, has come in, or the end is cut off. */
const damaged = fc
  .tuple(
    fc.constantFrom(...blocks),
    fc.array(
      fc.record({
        what: fc.constantFrom("replace", "remove", "insert", "cut"),
        at: fc.nat(4_000),
        byte: fc.integer({ min: 0, max: 255 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([block, changes]) => {
    const bytes = [...block];
    for (const { what, at, byte } of changes) {
      const place = at % (bytes.length + 1);
      if (what === "cut") {
        bytes.length = place;
      } else {
        bytes.splice(place, what === "insert" ? 0 : 1, ...(what === "remove" ? [] : [byte]));
      }
    }
    return Uint8Array.from(bytes);
  });

/** Runs something, and returns the sizes of the arrays that it allocated. */
function allocations(run: () => void): number[] {
  const sizes: number[] = [];
  const original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, parameters, newTarget) {
      sizes.push(Number(parameters[0]));
      return Reflect.construct(target, parameters, newTarget);
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
  }
  return sizes;
}

/** Decompresses what may be malformed, and asserts that this goes well, or wrong in one of the ways that it may. */
function assertHarmless({ decompress }: MessageCompression, body: Uint8Array): void {
  const sizes = allocations(() => {
    try {
      assert.ok(decompress(body, maxMessageBytes).length <= maxMessageBytes);
    } catch (reason) {
      if (!(reason instanceof DrpcError && reason.code === Code.ResourceExhausted)) {
        assert.match((reason as Error).message, /^the block is malformed: /);
      }
    }
  });
  assert.ok(sizes.length <= 1 && sizes.every((size) => size <= maxMessageBytes), `allocated ${sizes.join(", ")}`);
}

for (const compression of [snappy, minlz]) {
  const { name } = compression;

  test(`${name}: what was compressed comes back as it was`, () => {
    fc.assert(
      fc.property(messages, (message) => {
        const body = compression.compress(message);
        assert.deepEqual(compression.decompress(body, message.length), message);
      }),
    );
  });

  test(`${name}: a message of exactly the limit passes, and one more byte is too large`, () => {
    fc.assert(
      fc.property(messages, (message) => {
        fc.pre(message.length > 0);
        const body = compression.compress(message);
        assert.throws(
          () => compression.decompress(body, message.length - 1),
          (reason) => reason instanceof DrpcError && reason.code === Code.ResourceExhausted,
        );
      }),
    );
  });

  test(`${name}: a damaged block does no harm`, () => {
    fc.assert(
      fc.property(damaged, (body) => assertHarmless(compression, body)),
      { numRuns: 3_000 },
    );
  });

  test(`${name}: random bytes do no harm`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => assertHarmless(compression, body)),
      { numRuns: 3_000 },
    );
  });

  test(`${name}: a length above the limit is refused before anything is allocated, and said (checklist 87)`, () => {
    const head = name === "snappy" ? [] : [0];
    const body = Uint8Array.of(...head, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61);
    const sizes = allocations(() =>
      assert.throws(() => compression.decompress(body, maxMessageBytes), {
        message:
          "[resource_exhausted] the message has 4294967295 bytes when decompressed, the limit maxMessageBytes is 100000",
      }),
    );
    assert.deepEqual(sizes, []);
  });

  test(`${name}: a literal whose length would be negative in 32 bits is malformed, and ends`, () => {
    const body = Uint8Array.of(5, 0xfc, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0);
    assert.throws(() => compression.decompress(body, maxMessageBytes), /malformed: it ends too early/);
  });

  test(`${name}: messages above 8 MiB pass`, () => {
    const message = new Uint8Array(9 * 1024 * 1024).fill(7);
    assert.ok(Buffer.from(compression.decompress(compression.compress(message), message.length)).equals(message));
  });
}

test("minlz sends what does not get smaller with two bytes more, and takes it without a copy", () => {
  const message = Uint8Array.from({ length: 3_000 }, (_, index) => (index * index * 7_919) >> 5);
  const body = minlz.compress(message);
  assert.equal(body.length, message.length + 2);
  assert.equal(minlz.decompress(body, message.length).buffer, body.buffer);
});

test("snappy refuses the repeats of S2, and minlz takes them", () => {
  // Three literals, a copy of four from three bytes back, and S2's repeats of 4, of 8 + 1, of 260 + 2 and of 65,540 + 3.
  const repeats = [0x01, 0, 0x15, 0, 1, 0x19, 0, 2, 0, 0x1d, 0, 3, 0, 0];
  const length = 3 + 4 + 4 + 9 + 262 + 65_543;
  const body = Uint8Array.of(
    (length & 127) | 128,
    ((length >> 7) & 127) | 128,
    length >> 14,
    8,
    97,
    98,
    99,
    1,
    3,
    ...repeats,
  );
  assert.equal(Buffer.from(minlz.decompress(body, length)).toString(), "abc".repeat(length).slice(0, length));
  assert.throws(() => snappy.decompress(body, length), /malformed/);
});

test("minlz: a repeat in an S2 block that has no copy before it is malformed", () => {
  assert.throws(() => minlz.decompress(Uint8Array.of(5, 0, 97, 1, 0), 100), /malformed/);
});
