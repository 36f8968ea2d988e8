// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { decodeErrorPayload, encodeErrorPayload } from "../../src/wire/error-payload.js";

interface ErrorRecord {
  readonly op: "marshal" | "marshal-go" | "unmarshal";
  readonly code: string;
  readonly text: string;
  readonly hex: string;
}

const records = golden<ErrorRecord>("errors.json");
const cutAt = 65_536 - 8;

describe("encodeErrorPayload", () => {
  test("writes the same bytes as Go", () => {
    const written = records.filter(({ op }) => op !== "unmarshal");
    assert.equal(written.length, 17);
    for (const { code, text, hex: bytes } of written) {
      assert.equal(toHex(encodeErrorPayload({ code: BigInt(code), text })), bytes);
    }
  });

  test("cuts a text so that the packet is one frame of 64 KiB, as Go never splits it", () => {
    assert.equal(encodeErrorPayload({ code: 2n, text: "x".repeat(cutAt) }).length, 65_536);
    const body = encodeErrorPayload({ code: 2n, text: "x".repeat(cutAt + 1) });
    assert.equal(body.length, 65_536);
    assert.deepEqual(decodeErrorPayload(body), { code: 2n, text: "x".repeat(cutAt) });
  });

  test("cuts between characters, never inside one", () => {
    for (const character of ["ü", "✓", "🚀"]) {
      for (let shift = 0; shift < 4; shift++) {
        const text = "x".repeat(shift) + character.repeat(cutAt / 2);
        const { text: kept } = decodeErrorPayload(encodeErrorPayload({ code: 0n, text }));
        assert.ok(text.startsWith(kept) && !kept.includes("\ufffd"), `${character} with ${shift} bytes in front`);
        const missing = cutAt - Buffer.byteLength(kept);
        assert.ok(missing < Buffer.byteLength(character), `${missing} bytes more than need be are missing`);
      }
    }
  });
});

describe("decodeErrorPayload", () => {
  test("reads what Go reads", () => {
    for (const { code, text, hex: bytes } of records) {
      assert.deepEqual(decodeErrorPayload(hex(bytes)), { code: BigInt(code), text });
    }
    assert.ok(records.some(({ op }) => op === "unmarshal"));
  });

  test("takes a body without a whole code for a text without one", () => {
    assert.deepEqual(decodeErrorPayload(hex("73686f7274")), {
      code: 0n,
      text: "short (drpcwire note: invalid error data)",
    });
  });

  test("reads a body that lies inside a larger array", () => {
    const chunk = hex("ffff" + "0000000000000005" + "6e6f" + "ffff");
    assert.deepEqual(decodeErrorPayload(chunk.subarray(2, 12)), { code: 5n, text: "no" });
  });

  test("reads back any code and text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.string({ unit: "grapheme" }), (code, text) => {
        assert.deepEqual(decodeErrorPayload(encodeErrorPayload({ code, text })), { code, text });
      }),
    );
  });

  test("makes something of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
        const { code, text } = decodeErrorPayload(body);
        assert.equal(text.endsWith(" (drpcwire note: invalid error data)"), body.length < 8);
        assert.equal(code, body.length < 8 ? 0n : Buffer.from(body).readBigUInt64BE());
      }),
    );
  });
});
