// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Packs every published package and checks what users' resolvers will see.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

function run(command, ...options) {
  console.log(`$ ${command} ${options.join(" ")}`);
  const { status } = spawnSync("npx", ["--no-install", command, ...options], { stdio: "inherit" });
  if (status !== 0) {
    process.exit(1);
  }
}

for (const name of readdirSync("packages")) {
  const directory = join("packages", name);
  if (!existsSync(join(directory, "package.json"))) {
    continue;
  }
  run("publint", directory, "--strict");
  const { exports } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  if (exports !== undefined) {
    run("attw", "--pack", directory, "--profile", "esm-only");
  }
}
