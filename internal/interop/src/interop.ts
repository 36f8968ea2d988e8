// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs clients and servers of ours against those of both Go implementations, in every scenario and both directions,
// prints the matrix, and writes it into docs/compatibility.md. Exits with 1 if anything failed, or if Go is missing.
// Arguments are parts of the names of scenarios: then only those run, and nothing is written.

import { callScenarios } from "./call-scenarios.js";
import { endingScenarios } from "./ending-scenarios.js";
import { buildGoProgram, type GoPeer, goPeers, goVersion } from "./go-program.js";
import { Harness } from "./harness.js";
import { loadScenarios } from "./load-scenarios.js";
import { type Cells, writeMatrix } from "./matrix.js";
import type { Scenario } from "./scenario.js";

const timeoutMs = 60_000;
const directions = ["calling", "serving"] as const;

const version = goVersion();
if (version === undefined) {
  console.error("interop: Go was not found, and nothing was run. It needs the program `go`, 1.24 or newer.");
  process.exit(1);
}
console.log(version);
for (const peer of goPeers) {
  buildGoProgram(peer);
  console.log(`built ${peer}`);
}

const wanted = process.argv.slice(2);
const scenarios = [...callScenarios, ...endingScenarios, ...loadScenarios].filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
const matrix = new Map<string, Cells>();
let failures = 0;
for (const scenario of scenarios) {
  console.log(scenario.name);
  const cells: string[] = [];
  for (const peer of goPeers) {
    for (const direction of directions) {
      const cell = await run(scenario, peer, direction);
      cells.push(cell.text);
      failures += cell.failed ? 1 : 0;
      const shown = direction === "calling" ? `ts-drpc calls ${peer}` : `${peer} calls ts-drpc`;
      console.log(`    ${shown.padEnd(28)} ${cell.text}`);
    }
  }
  matrix.set(scenario.name, cells);
}
if (failures > 0) {
  console.error(`${failures} failed`);
} else if (wanted.length === 0) {
  writeMatrix(matrix);
}
process.exit(failures === 0 ? 0 : 1);

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
