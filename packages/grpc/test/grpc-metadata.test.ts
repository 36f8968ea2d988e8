// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { toGrpcMetadata } from "../src/grpc-metadata.js";

test("values of a key that HTTP/2 allows once are joined, others come several times", () => {
  const metadata = toGrpcMetadata([
    ["From", "a"],
    ["from", "b"],
    ["many", "1"],
    ["many", "2"],
  ]);
  assert.deepEqual(metadata.get("from"), ["a, b"]);
  assert.deepEqual(metadata.get("many"), ["1", "2"]);
});

test("metadata that would end the connection is refused, with its size and the limits", () => {
  assert.throws(() => toGrpcMetadata([["k", "v".repeat(60_000)]]), {
    name: "TypeError",
    message: "the metadata cannot go over gRPC: it has 60001 bytes and 1 values, the limits are 60000 and 100",
  });
  const many = Array.from({ length: 101 }, (_, index) => [`k${index}`, "v"] as const);
  assert.throws(() => toGrpcMetadata(many), /101 values, the limits are 60000 and 100/);
  assert.equal(toGrpcMetadata(many.slice(1)).get("k7").length, 1);
});

test("a key that would become one of bytes in lower case is refused", () => {
  assert.throws(
    () => toGrpcMetadata([["Key-BIN", "text"]]),
    /"Key-BIN" cannot go over gRPC: in lower case it is one of bytes/,
  );
});

test("text with spaces around it, which would be lost, is refused and names its key", () => {
  for (const value of [" a", "a ", " "]) {
    assert.throws(() => toGrpcMetadata([["Key", value]]), /metadata key "Key" cannot go over gRPC: .* with a space/);
  }
  assert.deepEqual(toGrpcMetadata([["key", ""]]).get("key"), [""]);
});
