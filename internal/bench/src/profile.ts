// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Profiles the server and the client of ts-drpc, and writes where their time goes to internal/bench/profiles.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCase } from "./case-run.js";
import { allCases } from "./cases.js";
import { readSources, topFunctions } from "./cpu-profile.js";
import { describeMachine } from "./result.js";
import { buildWorker } from "./worker-build.js";

const profiled = ["unary 16 B, 64 in flight", "server stream 16 B", "server stream 1 MiB"];
const contenders = ["ts-drpc", "ts-drpc (all features)"];
const functions = 30;

const directory = join(import.meta.dirname, "../profiles");
mkdirSync(directory, { recursive: true });
const workerFile = await buildWorker();
const sourceOf = readSources(dirname(workerFile));
const scratch = mkdtempSync(join(tmpdir(), "ts-drpc-profile-"));
try {
  for (const each of allCases({ quick: true }).filter(({ name }) => profiled.includes(name))) {
    for (const entry of each.entries.filter(({ name }) => contenders.includes(name))) {
      const [result] = await runCase(
        { ...each, entries: [entry] },
        {
          workerFile,
          warmUpMs: 2_000,
          roundMs: 4_000,
          rounds: 1,
          nodeOptions: (role) => ["--cpu-prof", `--cpu-prof-dir=${scratch}`, `--cpu-prof-name=${role}.cpuprofile`],
        },
      );
      const sections = ["client", "server"].map((role) => {
        const profile = JSON.parse(readFileSync(join(scratch, `${role}.cpuprofile`), "utf8"));
        return `${role}, ${topFunctions(profile, sourceOf, functions)}`;
      });
      const rate = `${Math.round(result?.ratePerS ?? 0).toLocaleString("en")} ${each.unit}/s while profiled`;
      const head = `${each.name}, ${entry.name}: ${rate}\n${describeMachine()}`;
      const file = `${each.name}, ${entry.name}`.replaceAll(/\W+/g, "-").replace(/-$/, "").toLowerCase();
      writeFileSync(join(directory, `${file}.txt`), `${[head, ...sections].join("\n\n")}\n`);
      console.log(`${file}: ${rate}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true });
}
