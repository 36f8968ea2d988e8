// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Fails if a source file does not begin with the two lines of the header.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const header = "// Copyright 2026 The ts-drpc Authors\n// SPDX-License-Identifier: Apache-2.0\n";

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
const missing = listed
  .split("\n")
  .filter((path) => /\.(ts|mjs)$/.test(path) && !/(^|\/)(gen|golden)\//.test(path))
  .filter((path) => !readFileSync(path, "utf8").startsWith(header));
for (const path of missing) {
  console.error(`${path}: the header is missing:\n${header}`);
}
process.exit(missing.length === 0 ? 0 : 1);
