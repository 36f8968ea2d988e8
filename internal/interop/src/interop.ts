// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs clients and servers of ours against those in Go, in every scenario and both directions, prints the matrix, and
// writes it into docs/compatibility.md. Exits with 1 if anything failed, or if Go is missing.
//
// With `--mux-fork VERSION`, one of CockroachDB's fork since it multiplexes, it runs that instead of the others,
// and writes the fork's own matrix. Other arguments are parts of the names of scenarios: then only those
// run, and nothing is written.

import { parseArgs } from "node:util";
import { callScenarios } from "./call-scenarios.js";
import { compressionScenarios } from "./compression-scenarios.js";
import { endingScenarios } from "./ending-scenarios.js";
import { flowScenarios } from "./flow-scenarios.js";
import { buildGoProgram, buildMuxProgram, type GoPeer, goPeers, goVersion } from "./go-program.js";
import { Harness } from "./harness.js";
import { headerScenarios } from "./header-scenarios.js";
import { livenessScenarios } from "./liveness-scenarios.js";
import { loadScenarios } from "./load-scenarios.js";
import { type Cells, writeMatrix } from "./matrix.js";
import { muxScenarios } from "./mux-scenarios.js";
import type { Scenario } from "./scenario.js";
import { sharedPortScenarios } from "./shared-port-scenarios.js";

const timeoutMs = 60_000;
const directions = ["calling", "serving"] as const;

const { values, positionals } = parseArgs({ options: { "mux-fork": { type: "string" } }, allowPositionals: true });
const fork = values["mux-fork"];
const version = goVersion();
if (version === undefined) {
  console.error("interop: Go was not found, and nothing was run. It needs the program `go`, 1.24 or newer.");
  process.exit(1);
}
console.log(version);
const peers = buildPeers();

const scenarios = [
  ...callScenarios,
  ...endingScenarios,
  ...loadScenarios,
  ...headerScenarios,
  ...sharedPortScenarios,
  ...livenessScenarios,
  ...muxScenarios,
  ...flowScenarios,
  ...compressionScenarios,
].filter(
  ({ name, peer }) =>
    (peer === undefined || peers.includes(peer)) &&
    (positionals.length === 0 || positionals.some((part) => name.includes(part))),
);
const matrix = new Map<string, Cells>();
let failures = 0;
for (const scenario of scenarios) {
  console.log(scenario.name);
  const cells: string[] = [];
  for (const peer of peers) {
    for (const direction of directions) {
      const cell = await run(scenario, peer, direction);
      cells.push(cell.text);
      failures += cell.failed ? 1 : 0;
      const shown = direction === "calling" ? `ts-drpc calls ${peer}` : `${peer} calls ts-drpc`;
      console.log(`    ${shown.padEnd(32)} ${cell.text}`);
    }
  }
  matrix.set(scenario.name, cells);
}
if (failures > 0) {
  console.error(`${failures} failed`);
} else if (positionals.length === 0) {
  writeMatrix(fork === undefined ? "interop" : "interop-mux", peers, matrix);
}
if (fork === undefined) {
  console.log(
    "cockroach-mux was not run: the Go module proxy serves no version of the fork with multiplexing. " +
      "Where one does, `npm run interop -- --mux-fork VERSION` runs it.",
  );
}
process.exit(failures === 0 ? 0 : 1);

function buildPeers(): readonly GoPeer[] {
  if (fork !== undefined) {
    try {
      buildMuxProgram(fork);
    } catch {
      console.error(
        `cockroach-mux was not built: ${fork} must be a version of github.com/cockroachdb/drpc that multiplexes, ` +
          "and that the Go module proxy serves; Go said above which of the two it is not.",
      );
      process.exit(1);
    }
    console.log("built cockroach-mux");
    return ["cockroach-mux"];
  }
  for (const peer of goPeers) {
    buildGoProgram(peer);
    console.log(`built ${peer}`);
  }
  return goPeers;
}

async function run(
  scenario: Scenario,
  peer: GoPeer,
  direction: (typeof directions)[number],
): Promise<{ text: string; failed: boolean }> {
  const act = scenario[direction];
  if (act === undefined) {
    return { text: "", failed: false };
  }
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return { text: (await Promise.race([actAndClean(act, peer), timeout])) ?? "yes", failed: false };
  } catch (reason) {
    console.error(reason);
    return { text: "FAILED", failed: true };
  } finally {
    clearTimeout(timer);
  }
}

async function actAndClean(act: NonNullable<Scenario["calling"]>, peer: GoPeer): Promise<string | undefined> {
  await using harness = new Harness(peer);
  return (await act(harness)) ?? undefined;
}
