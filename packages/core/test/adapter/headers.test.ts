// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, DrpcError } from "@ts-drpc/core";
import { detailsInErrorStatus, errorInHeaders, excessOfHeaders, maxErrorHeaderBytes } from "@ts-drpc/core/adapter";

const small = { desc: DurationSchema, value: { seconds: 1n } };
const large = { type: "a.Large", value: new Uint8Array(5_000) };

/** Returns the names of the details that fit. */
function types({ status }: { readonly status: Uint8Array | undefined }): string[] | undefined {
  return status && detailsInErrorStatus(status).map(({ type }) => type);
}

describe("errorInHeaders", () => {
  test("leaves an error that fits as it is", () => {
    const fitting = errorInHeaders(new DrpcError("no – ❄", Code.Aborted, { details: [small] }));
    assert.deepEqual(
      [fitting.code, fitting.text, types(fitting)],
      [Code.Aborted, "no – ❄", ["google.protobuf.Duration"]],
    );
    assert.deepEqual(errorInHeaders(new DrpcError("", 4_711)), { code: Code.Unknown, text: "", status: undefined });
  });

  test("cuts a text at 4 KiB, between characters, and repairs what is no Unicode", () => {
    assert.equal(errorInHeaders(new DrpcError(`${"x".repeat(4_095)}é`)).text, "x".repeat(4_095));
    assert.equal(errorInHeaders(new DrpcError("half a \ud800 character")).text, "half a \ufffd character");
  });

  test("leaves out details that do not fit into 4 KiB with the text, and those that cannot be encoded", () => {
    const broken = { desc: DurationSchema, value: { seconds: "none" as unknown as bigint } };
    const details = [small, broken, small, large, small];
    const some = errorInHeaders(new DrpcError("short", Code.Aborted, { details }));
    assert.deepEqual(types(some), ["google.protobuf.Duration", "google.protobuf.Duration"]);
    for (const text of ["x".repeat(4_070), "x".repeat(4_090), "x".repeat(5_000)]) {
      assert.equal(errorInHeaders(new DrpcError(text, Code.Aborted, { details: [small] })).status, undefined);
    }
    assert.equal(errorInHeaders(new DrpcError("", Code.Aborted, { details: [broken] })).status, undefined);
    assert.equal(errorInHeaders(new DrpcError("", Code.Aborted, { details: [large] })).status, undefined);
  });
});

test("excessOfHeaders counts keys and values", () => {
  const entries = (length: number): [string, string][] => Array.from({ length }, () => ["key", "v"]);
  assert.equal(excessOfHeaders(entries(100)), undefined);
  assert.match(String(excessOfHeaders(entries(101))), /^404 bytes and 101 values, the limits are 60000 and 100$/);
  assert.equal(excessOfHeaders([["key", "v".repeat(59_997)]]), undefined);
  assert.match(String(excessOfHeaders([["key", "v".repeat(59_998)]])), /^60001 bytes/);
  assert.match(String(excessOfHeaders([["key", "v".repeat(50_000)]], maxErrorHeaderBytes)), /are 40000 and 100$/);
});
