// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { decodeGoingAway, encodeGoingAway } from "../../src/wire/going-away-payload.js";

describe("encodeGoingAway", () => {
  test("writes the stream id as a varint, and an error of the format drpc behind it", () => {
    const body = encodeGoingAway({ lastStreamId: 300, error: { code: 14n, text: "bye" } });
    assert.equal(toHex(body), "ac02000000000000000e627965");
  });

  test("is undone by decodeGoingAway", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 0xffn }), fc.string(), (lastStreamId, code, text) => {
        const { error, ...rest } = decodeGoingAway(encodeGoingAway({ lastStreamId, error: { code, text } })) ?? {};
        assert.deepEqual(rest, { lastStreamId });
        assert.deepEqual([error?.code, error?.text], [code, text]);
      }),
    );
  });
});

describe("decodeGoingAway", () => {
  test("takes a stream id above 2^53 - 1 for all streams", () => {
    const goingAway = decodeGoingAway(hex("ffffffffffffffffff01000000000000000e"));
    assert.equal(goingAway?.lastStreamId, Number.MAX_SAFE_INTEGER);
    assert.deepEqual([goingAway?.error.code, goingAway?.error.text], [14n, ""]);
  });

  // The note is Go's.
  const note = "(drpcwire note: invalid error data)";

  test("reads an error that is shorter than a code as its text, as everywhere", () => {
    assert.deepEqual(decodeGoingAway(hex("07")), { lastStreamId: 7, error: { code: 0n, text: ` ${note}` } });
    assert.deepEqual(decodeGoingAway(hex("07627965")), { lastStreamId: 7, error: { code: 0n, text: `bye ${note}` } });
  });

  test("gives undefined for a body that names no stream, and never throws", () => {
    for (const malformed of ["", "80", "ffffffffffffffffff", "ffffffffffffffffffff", "8080808080808080808080"]) {
      assert.equal(decodeGoingAway(hex(malformed)), undefined, malformed);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (body) => {
        const goingAway = decodeGoingAway(body);
        assert.ok(goingAway === undefined || Number.isSafeInteger(goingAway.lastStreamId));
      }),
    );
  });
});
