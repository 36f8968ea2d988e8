// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { decodeMetadataPayload, encodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { ProtocolError } from "../../src/wire/protocol-error.js";

interface EncodeRecord {
  readonly op: "encode";
  readonly hex: string;
  readonly keyHex: string;
  readonly valueHex: string;
}

interface DecodeRecord {
  readonly op: "decode";
  readonly name: string;
  readonly hex: string;
  readonly entries: readonly [string, string][];
  readonly error: string;
}

const records = golden<EncodeRecord | DecodeRecord>("metadata.json");
const encodeRecords = records.filter((record) => record.op === "encode");
const decodeRecords = records.filter((record) => record.op === "decode");

function text(bytes: string): string {
  return Buffer.from(bytes, "hex").toString();
}

describe("encodeMetadataPayload", () => {
  test("writes the same bytes as Go for each entry of text", () => {
    const noText = encodeRecords.filter(({ valueHex }) => toHex(Buffer.from(text(valueHex))) !== valueHex);
    assert.deepEqual(
      noText.map(({ valueHex }) => valueHex),
      ["0001ff"],
      "a value that is no UTF-8 cannot be asked for",
    );
    for (const { keyHex, valueHex, hex: bytes } of encodeRecords.filter((record) => !noText.includes(record))) {
      assert.equal(toHex(encodeMetadataPayload([[text(keyHex), text(valueHex)]])), bytes);
    }
    assert.equal(encodeRecords.length, 9);
  });

  test("writes out empty keys and values, which Go insists on", () => {
    assert.equal(toHex(encodeMetadataPayload([["", ""]])), "0a040a001200");
    assert.deepEqual(decodeMetadataPayload(hex("0a040a001200")), [["", ""]]);
  });

  test("writes several entries one behind the other, in order", () => {
    const entries = [
      ["b", "2"],
      ["a", "1"],
      ["b", "3"],
    ] as const;
    const each = entries.map((entry) => toHex(encodeMetadataPayload([entry])));
    assert.equal(toHex(encodeMetadataPayload(entries)), each.join(""));
  });

  test("writes nothing for no entries", () => {
    assert.equal(encodeMetadataPayload([]).length, 0);
  });
});

describe("decodeMetadataPayload", () => {
  for (const { name, hex: bytes, entries, error } of decodeRecords) {
    test(`reads what Go reads: ${name}`, () => {
      if (error !== "") {
        assert.throws(() => decodeMetadataPayload(hex(bytes)), ProtocolError);
        return;
      }
      // Go has a map, in which the last entry of a key wins; here a key may come several times.
      assert.deepEqual([...new Map(decodeMetadataPayload(hex(bytes)))], entries);
    });
  }

  test("reads what Go wrote, with U+FFFD for bytes that are no UTF-8", () => {
    for (const { keyHex, valueHex, hex: bytes } of encodeRecords) {
      assert.deepEqual(decodeMetadataPayload(hex(bytes)), [[text(keyHex), text(valueHex)]]);
    }
    assert.deepEqual(decodeMetadataPayload(hex("0a0a0a0362696e12030001ff")), [["bin", "\u0000\u0001\ufffd"]]);
  });

  test("keeps all entries of a key, in order", () => {
    assert.deepEqual(decodeMetadataPayload(hex("0a060a01611201310a060a0161120132")), [
      ["a", "1"],
      ["a", "2"],
    ]);
  });

  test("keeps a byte order mark, which is part of the text", () => {
    assert.deepEqual(decodeMetadataPayload(encodeMetadataPayload([["k", "\ufeffv"]])), [["k", "\ufeffv"]]);
  });

  test("does not look behind the body for what is missing in it", () => {
    const entry = hex("0a060a0161120131");
    for (let length = 1; length < entry.length; length++) {
      assert.throws(() => decodeMetadataPayload(entry.subarray(0, length)), ProtocolError, `the first ${length} bytes`);
    }
  });

  test("refuses a length that is far above what a number can hold", () => {
    assert.throws(() => decodeMetadataPayload(hex("0affffffffffffffffff01")), { message: "metadata is cut short" });
  });

  test("reads back any entries", () => {
    const entry = fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme", maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        assert.deepEqual(decodeMetadataPayload(encodeMetadataPayload(entries)), entries);
      }),
    );
  });

  test("throws nothing but a ProtocolError at random bytes, and accepts only what holds all of them", () => {
    const nearlyRight = fc
      .tuple(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }), fc.nat(), fc.nat(255))
      .map(([entries, at, byte]) => {
        const body = encodeMetadataPayload(entries);
        return body.map((each, index) => (index === at % Math.max(1, body.length) ? byte : each));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), nearlyRight), (body) => {
        try {
          const entries = decodeMetadataPayload(body);
          assert.ok(entries.length <= body.length / 6, "an entry has at least six bytes");
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });
});
