// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// A short form of what `npm run soak` does at its end. It needs a process of its own, with the garbage collector at hand.
test("messages, calls, cancels and reconnects leave nothing behind", async () => {
  const script = fileURLToPath(new URL("../src/check-leaks.ts", import.meta.url));
  const options = ["--expose-gc", "--conditions=@ts-drpc/source", "--import", "tsx", script, "quick"];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  const reports = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): { problems: string[] } => JSON.parse(line));
  assert.equal(reports.length, 8);
  assert.deepEqual(
    reports.flatMap(({ problems }) => problems),
    [],
  );
});
