// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const directory = join(import.meta.dirname, "..");

/**
 * Compiles the worker and what it needs of this repository, and resolves with
 * its file. A process that compiled its sources itself would not have the
 * memory, nor quite the speed, of a user's.
 */
export async function buildWorker(outputDirectory: string = join(directory, "dist")): Promise<string> {
  const { dependencies } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  await build({
    entryPoints: [join(directory, "src/worker.ts")],
    outdir: outputDirectory,
    bundle: true,
    // Each contender stays a file of its own, so that a process loads one of them.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@ts-drpc/source"],
    external: Object.keys(dependencies).filter((name) => !name.startsWith("@ts-drpc/")),
  });
  return join(outputDirectory, "worker.js");
}
