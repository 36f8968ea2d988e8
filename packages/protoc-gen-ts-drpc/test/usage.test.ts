// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { usageFor } from "../src/usage.js";

test("help is printed when asked for, wherever the input comes from", () => {
  assert.equal(usageFor(["--help"], true), "asked");
  assert.equal(usageFor(["-h"], false), "asked");
});

test("a person who starts the program in a terminal is told how it is used instead of being waited for", () => {
  assert.equal(usageFor([], true), "mistaken");
});

test("a request on standard input and other arguments are left to protoplugin", () => {
  assert.equal(usageFor([], false), undefined);
  assert.equal(usageFor(["--version"], true), undefined);
});
