// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "../../src/wire/varint.js";

interface EncodeRecord {
  readonly op: "encode";
  readonly hex: string;
  readonly value: string;
}

interface DecodeRecord {
  readonly op: "decode";
  readonly hex: string;
  readonly value: string;
  readonly rest: string;
  readonly ok: boolean;
  readonly error: string;
}

const records = golden<EncodeRecord | DecodeRecord>("varint.json");
const encodeRecords = records.filter((record) => record.op === "encode");
const decodeRecords = records.filter((record) => record.op === "decode");

function encoded(value: number): Uint8Array {
  const target = new Uint8Array(maxVarintBytes);
  return target.subarray(0, encodeVarint(value, target, 0));
}

/** Asserts that a value is the expected one, or that it shows that it is not exact. */
function assertValue(value: number, expected: string): void {
  if (BigInt(expected) <= BigInt(Number.MAX_SAFE_INTEGER)) {
    assert.equal(value, Number(expected));
  } else {
    assert.equal(Number.isSafeInteger(value), false, `${expected} was read as ${value}, which looks exact`);
  }
}

describe("encodeVarint", () => {
  test("writes the same bytes as Go", () => {
    const exact = encodeRecords.filter(({ value }) => Number.isSafeInteger(Number(value)));
    assert.equal(encodeRecords.length - exact.length, 7, "only values from 2^53 on cannot be asked for");
    for (const { value, hex: expected } of exact) {
      assert.equal(toHex(encoded(Number(value))), expected);
    }
  });

  test("writes at the offset, returns the one behind it, and touches nothing else", () => {
    const target = new Uint8Array(6).fill(0xee);
    assert.equal(encodeVarint(300, target, 2), 4);
    assert.equal(toHex(target), "eeeeac02eeee");
  });

  test("agrees with a bigint model, and varintSize with both", () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(), fc.integer({ min: 0x7fff_fff0, max: 0x8000_0010 })), (value) => {
        const expected: number[] = [];
        for (let rest = BigInt(value); ; rest >>= 7n) {
          expected.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
          if (rest <= 0x7fn) {
            break;
          }
        }
        assert.deepEqual([...encoded(value)], expected);
        assert.equal(varintSize(value), expected.length);
      }),
    );
  });
});

describe("VarintCursor", () => {
  test("reads what Go reads, with the same rest", () => {
    for (const record of [...decodeRecords, ...encodeRecords]) {
      const bytes = hex(record.hex);
      const cursor = new VarintCursor();
      if (record.op === "decode" && record.error !== "") {
        assert.throws(() => cursor.read(bytes, 0, bytes.length), ProtocolError, record.hex);
        continue;
      }
      const at = cursor.read(bytes, 0, bytes.length);
      if (record.op === "decode" && !record.ok) {
        assert.equal(at, -1, record.hex);
        continue;
      }
      assert.equal(toHex(bytes.subarray(at)), record.op === "decode" ? record.rest : "");
      assertValue(cursor.value, record.value);
    }
    assert.ok(
      decodeRecords.some(({ error }) => error !== "") && decodeRecords.some(({ ok, error }) => !ok && error === ""),
    );
  });

  test("refuses a tenth byte with its top bit set as soon as it is there", () => {
    const tooLong = hex("80808080808080808080");
    assert.throws(() => new VarintCursor().read(tooLong, 0, 10), {
      name: "ProtocolError",
      message: "a varint is longer than 10 bytes",
    });
    assert.equal(new VarintCursor().read(tooLong, 0, 9), -1, "nine bytes may still become a varint");
  });

  test("accepts forms that are longer than need be", () => {
    const cursor = new VarintCursor();
    assert.equal(cursor.read(hex("8100"), 0, 2), 2);
    assert.equal(cursor.value, 1);
    assert.equal(cursor.read(hex("85808080808080808000"), 0, 10), 10);
    assert.equal(cursor.value, 5);
  });

  test("does not look behind the end that it is given", () => {
    assert.equal(new VarintCursor().read(hex("ac02"), 0, 1), -1);
    assert.equal(new VarintCursor().read(hex("05"), 1, 1), -1);
  });

  test("tells the largest exact value from the first that is not", () => {
    const cursor = new VarintCursor();
    cursor.read(hex("ffffffffffffff0f"), 0, 8);
    assert.equal(cursor.value, Number.MAX_SAFE_INTEGER);
    cursor.read(hex("8080808080808010"), 0, 8);
    assert.equal(Number.isSafeInteger(cursor.value), false);
  });

  test("reads back what encodeVarint wrote, wherever it lies", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.uint8Array({ maxLength: 5 }),
        fc.uint8Array({ maxLength: 5 }),
        (value, before, after) => {
          const bytes = Uint8Array.from([...before, ...encoded(value), ...after]);
          const cursor = new VarintCursor();
          assert.equal(cursor.read(bytes, before.length, bytes.length), bytes.length - after.length);
          assert.equal(cursor.value, value);
        },
      ),
    );
  });

  test("never mistakes any 64-bit value for another one", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const bytes: number[] = [];
        for (let rest = value; ; rest >>= 7n) {
          bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
          if (rest <= 0x7fn) {
            break;
          }
        }
        const cursor = new VarintCursor();
        assert.equal(cursor.read(Uint8Array.from(bytes), 0, bytes.length), bytes.length);
        assertValue(cursor.value, String(value));
      }),
    );
  });
});
