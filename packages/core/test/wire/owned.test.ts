// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { owned } from "../../src/wire/owned.js";

describe("owned", () => {
  test("copies bytes that are less than a quarter of their buffer", () => {
    const bytes = new Uint8Array(100).fill(7).subarray(10, 34);
    const copy = owned(bytes);
    assert.deepEqual(copy, bytes);
    assert.equal(copy.buffer.byteLength, 24);
  });

  test("returns others as they are", () => {
    for (const bytes of [new Uint8Array(100), new Uint8Array(100).subarray(10, 35)]) {
      assert.equal(owned(bytes), bytes);
    }
  });
});
