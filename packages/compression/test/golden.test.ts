// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";

const maxBytes = 16 * 1024 * 1024;

/** A block, and what Go's decoder made of it, or the error that it gave. */
interface Vector {
  readonly name: string;
  readonly op: "encode" | "block" | "decode";
  readonly hex: string;
  readonly level?: number;
  readonly error?: string;
  readonly raw?: string;
  readonly rawLen?: number;
  readonly rawSHA256?: string;
}

for (const [compression, file] of [
  [snappy, "snappy.json"],
  [minlz, "minlz.json"],
] as const) {
  for (const { name, op, level, error, ...vector } of golden<Vector>(file)) {
    const block = hex(vector.hex);
    const title = `${file}, ${op}, ${name}${level === undefined ? "" : `, level ${level}, ${vector.rawLen} bytes`}`;
    if (error !== undefined && error !== "") {
      const reason = name === "huge length, little data" ? /4294967295 bytes when decompressed/ : /is malformed/;
      test(`refuses what Go refuses: ${title}`, () =>
        assert.throws(() => compression.decompress(block, maxBytes), reason));
      continue;
    }
    test(`decompresses to what Go decompresses: ${title}`, () => {
      const message = compression.decompress(block, maxBytes);
      if (vector.raw !== undefined) {
        assert.equal(toHex(message), vector.raw);
      }
      if (vector.rawSHA256 !== undefined) {
        assert.equal(message.length, vector.rawLen);
        assert.equal(createHash("sha256").update(message).digest("hex"), vector.rawSHA256);
      }
      assert.deepEqual(compression.decompress(compression.compress(message), message.length), message);
    });
  }
}

test("an empty message is one zero byte (checklist 85)", () => {
  for (const compression of [snappy, minlz]) {
    assert.deepEqual(compression.compress(new Uint8Array(0)), Uint8Array.of(0));
    assert.deepEqual(compression.decompress(Uint8Array.of(0), 1), new Uint8Array(0));
  }
});
