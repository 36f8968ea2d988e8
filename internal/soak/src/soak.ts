// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Makes random calls while things go wrong, for as long as it is told, and checks each against its plan.
//
//     npm run soak -- --minutes 30              rounds from a seed of the day, then the leak checks in full
//     npm run soak -- --minutes 30 --seed 7     the same rounds again, from the first to the last
//     npm run soak -- --round 1234              one round again, by the seed that was printed with a problem
//     npm run soak -- --minutes 30 --write      also writes what came of it into docs/reliability.md

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { liveBytes } from "./heap.js";
import type { LeakReport } from "./leak-checks.js";
import { printReport, writeReport } from "./report.js";
import { chooseRound, runChosen, type Tally, turnOfRounds } from "./rounds.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 86_400_000) * 10_000) },
    round: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const size = { calls: 80, spreadMs: 250 };

// Far above what caches take, and far below what a leak would take of so many calls.
const maxGrownBytes = 12 * 1024 * 1024;

const tallies = new Map<string, Tally>();
const problems: string[] = [];

/** Returns the value of an option. */
function wholeNumber(name: "minutes" | "seed" | "round", least: number): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least) {
    console.error(`--${name} must be a whole number, at least ${least}, got ${values[name]}`);
    process.exit(2);
  }
  return value;
}

async function soak(firstSeed: number, minutes: number): Promise<number> {
  console.log(`The seed is ${firstSeed}.`);
  const bar = new SingleBar(
    {
      format: "{bar} {value} of {total} s, {calls} calls, {problems} problems",
      noTTYOutput: true,
      notTTYSchedule: 30_000,
    },
    Presets.shades_classic,
  );
  const start = performance.now();
  let calls = 0;
  let aliveAtFirst = 0;
  bar.start(minutes * 60, 0, { calls, problems: 0 });
  for (let seed = firstSeed; performance.now() - start < minutes * 60_000; seed++) {
    if (seed === firstSeed + turnOfRounds) {
      aliveAtFirst = await liveBytes();
    }
    const found = await runChosen(chooseRound(seed), tallies, size);
    for (const problem of found) {
      console.error(`\n${problem}\n`);
    }
    problems.push(...found);
    calls += size.calls;
    bar.update(Math.round((performance.now() - start) / 1_000), { calls, problems: problems.length });
  }
  bar.stop();
  const grownBytes = aliveAtFirst === 0 ? 0 : (await liveBytes()) - aliveAtFirst;
  if (grownBytes > maxGrownBytes) {
    problems.push(`from seed ${firstSeed}: ${grownBytes} more bytes are alive at the end than near the beginning`);
  }
  return grownBytes;
}

/** The leak checks have a process of their own, in which nothing else is alive. */
function checkLeaks(): LeakReport[] {
  console.log("Now the leak checks; they take some minutes.");
  const script = fileURLToPath(new URL("./check-leaks.ts", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [...process.execArgv, script, "full"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) {
    problems.push(`the leak checks ended with ${status}`);
  }
  const lines = stdout.split("\n").filter((line) => line !== "");
  const reports = lines.map((line): LeakReport => JSON.parse(line));
  problems.push(...reports.flatMap((each) => each.problems.map((problem) => `${each.name}, ${each.link}: ${problem}`)));
  return reports;
}

if (values.round !== undefined) {
  problems.push(...(await runChosen(chooseRound(wholeNumber("round", 0)), tallies, size)));
  printReport({ seed: 0, minutes: 0, tallies: [...tallies.values()], leaks: [], grownBytes: 0 });
} else {
  const seed = wholeNumber("seed", 0);
  const minutes = wholeNumber("minutes", 1);
  const grownBytes = await soak(seed, minutes);
  const leaks = checkLeaks();
  const report = { seed, minutes, tallies: [...tallies.values()], leaks, grownBytes };
  printReport(report);
  if (values.write) {
    writeReport(report, fileURLToPath(new URL("../../../docs/reliability.md", import.meta.url)));
  }
}
for (const problem of problems) {
  console.error(`\n${problem}`);
}
console.error(problems.length === 0 ? "" : `\n${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
