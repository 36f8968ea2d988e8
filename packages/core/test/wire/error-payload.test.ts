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

// Captured from cockroachdb/drpc of 2026-02-10.
const statuses: readonly (readonly [code: bigint, text: string, hex: string])[] = [
  [5n, "no", "01080512026e6f"],
  [2n, "plain", "0108021205706c61696e"],
  [3n, "ü✓", "0108031205c3bce29c93"],
  [2n ** 31n, "", "010880808080f8ffffffff01"],
  [2n ** 32n - 1n, "max", "0108ffffffffffffffffff0112036d6178"],
];

describe("the format grpc-status", () => {
  test("is read as CockroachDB's fork writes it", () => {
    for (const [code, text, bytes] of statuses) {
      assert.deepEqual(decodeErrorPayload(hex(bytes)), { code, text });
    }
  });

  test("is written as CockroachDB's fork writes it", () => {
    for (const [code, text, bytes] of statuses.slice(0, 3)) {
      assert.equal(toHex(encodeErrorPayload({ code, text }, "grpc-status")), bytes);
    }
  });

  test("has no OK, and no code that Go does not take for one: both are Unknown", () => {
    for (const code of [0n, 2n ** 31n, 2n ** 64n - 1n]) {
      const body = encodeErrorPayload({ code, text: "x" }, "grpc-status");
      assert.deepEqual(decodeErrorPayload(body), { code: 2n, text: "x" });
    }
  });

  test("skips a detail of a status that is no message with a type", () => {
    assert.deepEqual(decodeErrorPayload(hex("01080512026e6f1a03ffffff")), { code: 5n, text: "no" });
  });

  test("carries details as google.protobuf.Any, and reads them back", () => {
    const detail = fc.record(
      {
        type: fc.string({ minLength: 1, unit: "grapheme-ascii" }).filter((type) => !type.includes("/")),
        value: fc.uint8Array(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(detail, { minLength: 1, maxLength: 3 }), (details) => {
        const payload = { code: 5n, text: "no", details };
        assert.deepEqual(decodeErrorPayload(encodeErrorPayload(payload, "grpc-status")), payload);
      }),
    );
    // protoc --encode google.rpc.Status, with one google.protobuf.Any.
    const body = encodeErrorPayload(
      { code: 5n, text: "no", details: [{ type: "a.B", value: hex("0801") }] },
      "grpc-status",
    );
    assert.equal(
      toHex(body),
      `01080512026e6f1a1d0a17${toHex(new TextEncoder().encode("type.googleapis.com/a.B"))}12020801`,
    );
  });

  test("leaves out details for which there is no room in 64 KiB", () => {
    const details = [1, 2, 3].map((byte) => ({ type: "a.B", value: new Uint8Array(30_000).fill(byte) }));
    const body = encodeErrorPayload({ code: 5n, text: "no", details }, "grpc-status");
    assert.ok(body.length <= 65_536);
    assert.deepEqual(decodeErrorPayload(body).details, details.slice(0, 2));
  });

  test("cuts a text so that the packet stays within 64 KiB", () => {
    const body = encodeErrorPayload({ code: 5n, text: "ü".repeat(40_000) }, "grpc-status");
    assert.ok(body.length > 65_500 && body.length <= 65_536);
    assert.match(decodeErrorPayload(body).text, /^ü+$/);
  });

  test("is told from a code of eight bytes, even one that begins with the same byte", () => {
    for (const bytes of ["0100000000000005" + "6e6f", "0108050000000005" + "6e6f", "0108001202" + "6e6f" + "00"]) {
      assert.equal(decodeErrorPayload(hex(bytes)).code, Buffer.from(hex(bytes)).readBigUInt64BE());
    }
    assert.deepEqual(decodeErrorPayload(hex("01")), { code: 0n, text: "\u0001 (drpcwire note: invalid error data)" });
  });

  test("is not taken for one with a number that is too long, which ends no connection", () => {
    for (const bytes of ["0108", "01080512"].map((head) => head + "ff".repeat(11))) {
      assert.equal(decodeErrorPayload(hex(bytes)).code, Buffer.from(hex(bytes)).readBigUInt64BE());
    }
  });

  test("reads back any code that it can hold, and any text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 31n - 1n }), fc.string({ unit: "grapheme" }), (code, text) => {
        assert.deepEqual(decodeErrorPayload(encodeErrorPayload({ code, text }, "grpc-status")), { code, text });
      }),
    );
  });

  test("makes something of any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0xff), fc.nat(255)), { maxLength: 40 }), (body) => {
        decodeErrorPayload(Uint8Array.of(1, 8, ...body));
      }),
    );
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
        fc.pre(body[0] !== 1);
        const { code, text } = decodeErrorPayload(body);
        assert.equal(text.endsWith(" (drpcwire note: invalid error data)"), body.length < 8);
        assert.equal(code, body.length < 8 ? 0n : Buffer.from(body).readBigUInt64BE());
      }),
    );
  });
});
