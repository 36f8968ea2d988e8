// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Fails if anything in the work tree differs from what is committed: then something was not generated or formatted.

import { execFileSync } from "node:child_process";

const changes = execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" });
if (changes !== "") {
  console.error(`the work tree is dirty; commit what the check generated or formatted:\n${changes}`);
  process.exit(1);
}
console.log("the work tree is clean");
