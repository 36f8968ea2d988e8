// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs every *.test.ts of the repository with Node's test runner, or those whose path holds one of the arguments. A terminal
// gets every test, and the failures again at the end; a log gets the files, and at its end the failures.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const wanted = process.argv.slice(2);

function* testFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !["node_modules", "dist", "golden", "gen"].includes(entry.name)) {
      yield* testFiles(path);
    } else if (entry.name.endsWith(".test.ts")) {
      yield path;
    }
  }
}

const files = ["packages", "internal", "examples"]
  .flatMap((root) => [...testFiles(root)])
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)));
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(", ")}`);
  process.exit(1);
}
const flags = ["--conditions=@ts-drpc/source", "--import", "tsx", "--disable-warning=ExperimentalWarning"];
const runner = process.stdout.isTTY ? ["--test", "--test-concurrency=2"] : ["scripts/log-tests.mjs"];
const { status } = spawnSync(process.execPath, [...flags, ...runner, ...files], { stdio: "inherit" });
process.exit(status ?? 1);
