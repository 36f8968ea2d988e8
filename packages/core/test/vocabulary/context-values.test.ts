// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ContextValues, createContextKey } from "../../src/vocabulary/context-values.js";

describe("ContextValues", () => {
  test("gives the default of a key that nobody set", () => {
    const key = createContextKey(7);
    const values = new ContextValues();
    assert.equal(values.get(key), 7);
    assert.equal(values.has(key), false);
  });

  test("gives what was set, an undefined too", () => {
    const key = createContextKey<string | undefined>("default");
    const values = new ContextValues().set(key, "set");
    assert.equal(values.get(key), "set");
    values.set(key, undefined);
    assert.equal(values.get(key), undefined);
    assert.equal(values.has(key), true);
  });

  test("goes back to the default when a key is deleted", () => {
    const key = createContextKey("default");
    const values = new ContextValues().set(key, "set").delete(key);
    assert.equal(values.get(key), "default");
    assert.equal(values.has(key), false);
  });

  test("keeps keys apart, even with the same description", () => {
    const one = createContextKey("", { description: "user" });
    const other = createContextKey("", { description: "user" });
    const values = new ContextValues().set(one, "alice");
    assert.equal(values.get(other), "");
    assert.equal(values.has(other), false);
  });

  test("shows the description of a key", () => {
    assert.equal(createContextKey(0, { description: "user" }).id.description, "user");
    assert.equal(createContextKey(0).id.description, undefined);
  });

  test("keeps the values of two calls apart", () => {
    const key = createContextKey(0);
    const first = new ContextValues().set(key, 1);
    const second = new ContextValues().set(key, 2);
    assert.deepEqual([first.get(key), second.get(key)], [1, 2]);
  });
});
