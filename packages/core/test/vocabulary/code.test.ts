// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, codeName } from "../../src/vocabulary/code.js";

describe("Code", () => {
  test("has gRPC's numbers", () => {
    assert.deepEqual(Object.entries(Code), [
      ["Canceled", 1],
      ["Unknown", 2],
      ["InvalidArgument", 3],
      ["DeadlineExceeded", 4],
      ["NotFound", 5],
      ["AlreadyExists", 6],
      ["PermissionDenied", 7],
      ["ResourceExhausted", 8],
      ["FailedPrecondition", 9],
      ["Aborted", 10],
      ["OutOfRange", 11],
      ["Unimplemented", 12],
      ["Internal", 13],
      ["Unavailable", 14],
      ["DataLoss", 15],
      ["Unauthenticated", 16],
    ]);
  });
});

describe("codeName", () => {
  test("spells each code in lower case with underscores", () => {
    assert.deepEqual(Object.values(Code).map(codeName), [
      "canceled",
      "unknown",
      "invalid_argument",
      "deadline_exceeded",
      "not_found",
      "already_exists",
      "permission_denied",
      "resource_exhausted",
      "failed_precondition",
      "aborted",
      "out_of_range",
      "unimplemented",
      "internal",
      "unavailable",
      "data_loss",
      "unauthenticated",
    ]);
  });

  test("names a number that has no name by itself", () => {
    assert.equal(codeName(0), "code_0");
    assert.equal(codeName(17), "code_17");
    assert.equal(codeName(1_234), "code_1234");
  });
});
