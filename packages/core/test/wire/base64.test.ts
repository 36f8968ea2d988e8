// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/wire/base64.js";
import { decodeText, encodeText } from "../../src/wire/text.js";

describe("encodeBase64", () => {
  test("writes the standard alphabet with padding, or the one for URLs without", () => {
    assert.equal(encodeBase64(hex("fbff")), "+/8=");
    assert.equal(encodeBase64(hex("fbff"), "url"), "-_8");
    assert.equal(encodeBase64(hex("")), "");
  });

  test("agrees with Node for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
        assert.equal(encodeBase64(bytes, "url"), Buffer.from(bytes).toString("base64url"));
      }),
    );
  });
});

describe("decodeBase64", () => {
  test("reads either alphabet, padded or not", () => {
    for (const text of ["+/8=", "+/8", "-_8=", "-_8"]) {
      assert.deepEqual(decodeBase64(text), hex("fbff"), text);
    }
  });

  test("returns undefined for a text that is none", () => {
    for (const text of ["a", "a=", "====", "Zm9v!", "Zm=9", "ü", "\u{1f680}"]) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });

  test("reads back any bytes in either alphabet", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("standard" as const, "url" as const), (bytes, alphabet) => {
        assert.deepEqual(decodeBase64(encodeBase64(bytes, alphabet)), bytes);
      }),
    );
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = decodeBase64(text);
        assert.ok(bytes === undefined || bytes.length <= text.length);
      }),
    );
  });
});

describe("decodeText", () => {
  test("takes U+FFFD for bytes that are no UTF-8", () => {
    assert.equal(decodeText(hex("61ff62")), "a\ufffdb");
    assert.equal(decodeText(hex("c3")), "\ufffd");
  });

  test("starts anew with each text", () => {
    assert.equal(decodeText(hex("c3")), "\ufffd");
    assert.equal(decodeText(hex("bc")), "\ufffd", "not the second half of the one before");
  });

  test("reads back any text, a byte order mark included", () => {
    assert.equal(decodeText(encodeText("\ufeffa")), "\ufeffa");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        assert.equal(decodeText(encodeText(text)), text);
      }),
    );
  });
});
