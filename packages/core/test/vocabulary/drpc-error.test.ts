// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "../../src/vocabulary/code.js";
import { DrpcError } from "../../src/vocabulary/drpc-error.js";

/** The class as it would be if the package was installed twice. */
async function otherCopy(): Promise<typeof DrpcError> {
  const source = "../../src/vocabulary/drpc-error.js?second-copy";
  const loaded = (await import(source)) as { DrpcError: typeof DrpcError };
  assert.notEqual(loaded.DrpcError, DrpcError);
  return loaded.DrpcError;
}

describe("DrpcError", () => {
  test("shows the name of its code in front of its text", () => {
    const error = new DrpcError("no such user", Code.NotFound);
    assert.equal(error.message, "[not_found] no such user");
    assert.equal(error.rawMessage, "no such user");
    assert.equal(error.name, "DrpcError");
    assert.equal(String(error), "DrpcError: [not_found] no such user");
    assert.match(error.stack ?? "", /drpc-error\.test/);
  });

  test("is of code Unknown unless told otherwise, and may have ended anything", () => {
    const error = new DrpcError("broken");
    assert.deepEqual([error.code, error.wireCode, error.notStarted], [Code.Unknown, 2n, false]);
    assert.equal("cause" in error, false);
  });

  test("keeps the code of the wire beside its own", () => {
    const error = new DrpcError("odd", Code.Unknown, { wireCode: 2n ** 64n - 1n });
    assert.deepEqual([error.code, error.wireCode], [Code.Unknown, 18446744073709551615n]);
    assert.equal(new DrpcError("odd", 4_711).wireCode, 4711n);
  });

  test("keeps its cause, an undefined one too", () => {
    const cause = new Error("disk full");
    assert.equal(new DrpcError("broken", Code.Internal, { cause }).cause, cause);
    assert.equal("cause" in new DrpcError("broken", Code.Internal, { cause: undefined }), true);
  });

  test("says that the handler never ran where that is so", () => {
    assert.equal(new DrpcError("gone", Code.Unavailable, { notStarted: true }).notStarted, true);
  });

  test("does not show its name as a property of its own", () => {
    assert.equal(Object.keys(new DrpcError("broken")).includes("name"), false);
  });
});

describe("instanceof DrpcError", () => {
  test("recognises an error of another copy of the package", async () => {
    const Other = await otherCopy();
    assert.ok(new Other("broken") instanceof DrpcError);
    assert.ok(new DrpcError("broken") instanceof Other);
  });

  test("does not recognise other errors, or what is no object", () => {
    for (const value of [new Error("x"), { code: 5, rawMessage: "x" }, "x", null, undefined, () => {}]) {
      assert.equal((value as unknown) instanceof DrpcError, false);
    }
  });

  test("tells an application's own subclass from any other DrpcError", () => {
    class NoSuchUser extends DrpcError {}
    class NoSuchGroup extends DrpcError {}
    const error = new NoSuchUser("alice", Code.NotFound);
    assert.ok(error instanceof DrpcError);
    assert.ok(error instanceof NoSuchUser);
    assert.equal((error as DrpcError) instanceof NoSuchGroup, false);
    assert.equal(new DrpcError("alice", Code.NotFound) instanceof NoSuchUser, false);
  });
});

describe("DrpcError.from", () => {
  test("gives a DrpcError back as it is, one of another copy too", async () => {
    const error = new DrpcError("broken", Code.DataLoss);
    assert.equal(DrpcError.from(error, Code.Internal), error);
    const other = new (await otherCopy())("broken");
    assert.equal(DrpcError.from(other), other);
  });

  test("takes an abort for Canceled and a timeout for DeadlineExceeded, whatever code was asked for", () => {
    const { reason } = AbortSignal.abort();
    const canceled = DrpcError.from(reason, Code.Internal);
    assert.deepEqual([canceled.code, canceled.cause], [Code.Canceled, reason]);
    const timeout = new DOMException("too slow", "TimeoutError");
    const late = DrpcError.from(timeout, Code.Internal);
    assert.deepEqual([late.code, late.rawMessage, late.cause], [Code.DeadlineExceeded, "too slow", timeout]);
  });

  test("takes any other error for Unknown, or the code asked for, and keeps it as the cause", () => {
    const reason = new TypeError("x is not a function");
    const unknown = DrpcError.from(reason);
    assert.deepEqual([unknown.code, unknown.rawMessage, unknown.cause], [Code.Unknown, "x is not a function", reason]);
    assert.equal(DrpcError.from(reason, Code.Internal).code, Code.Internal);
  });

  test("makes a text of whatever else was thrown", () => {
    const nothing = Object.create(null) as object;
    const hostile = {
      toString: () => {
        throw new Error("no");
      },
    };
    const texts = [
      ["a string", "a string"],
      [undefined, "undefined"],
      [null, "null"],
      [42, "42"],
      [Symbol("s"), "Symbol(s)"],
      [nothing, "a value of type object"],
      [hostile, "a value of type object"],
    ] as const;
    for (const [reason, text] of texts) {
      const error = DrpcError.from(reason);
      assert.deepEqual([error.rawMessage, error.code], [text, Code.Unknown]);
      assert.ok("cause" in error);
      assert.equal(error.cause, reason);
    }
  });
});
