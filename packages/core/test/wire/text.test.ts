// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeName } from "../../src/wire/text.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

describe("decodeName", () => {
  test("gives what TextDecoder does, for names that came before, others like them, and bytes that are none", () => {
    // Of few letters, so that many are remembered in the same place.
    const letters = fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa4), { maxLength: 6 });
    const names = fc.array(fc.oneof(letters, fc.array(fc.nat(255), { maxLength: 40 })), { maxLength: 40 });
    fc.assert(
      fc.property(names, (all) => {
        for (const codes of [...all, ...all]) {
          const bytes = Uint8Array.from([0x61, ...codes, 0x62]);
          assert.equal(decodeName(bytes, 1, bytes.length - 1), decoder.decode(Uint8Array.from(codes)));
        }
      }),
    );
  });

  test("keeps no name by the bytes that it came in", () => {
    const bytes = new TextEncoder().encode("/echo.v1.EchoService/Say");
    assert.equal(decodeName(bytes), "/echo.v1.EchoService/Say");
    bytes.fill(0x78);
    assert.equal(decodeName(new TextEncoder().encode("/echo.v1.EchoService/Say")), "/echo.v1.EchoService/Say");
    assert.equal(decodeName(bytes), "x".repeat(bytes.length));
  });
});
