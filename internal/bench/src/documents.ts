// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Group } from "./cases.js";
import { contenderNames } from "./contenders.js";
import { plotMultiplexing, plotRates } from "./plot.js";
import type { BenchResult, CaseResult } from "./result.js";
import { bundleTable, caseTable, rateTable } from "./tables.js";

const titles: Record<Group, string> = {
  unary: "Unary calls",
  streams: "Streams",
  multiplexing: "Many streams: one connection, or one for each",
  fairness: "A small call beside a load",
  connecting: "A new connection",
  idle: "Idle connections and streams",
};

/** The cases that README.md shows. */
const inReadme = [
  "unary 16 B, 1 in flight",
  "unary 16 B, 64 in flight",
  "unary 4 KiB, 64 in flight",
  "server stream 16 B",
  "client stream 1 MiB",
  "bidirectional ping-pong 16 B",
];

/** Writes the tables and plots of a run into docs/benchmarks.md and README.md. */
export function writeDocuments(result: BenchResult, root: string): void {
  const compared = result.cases.filter((each) => each.case.group === "unary" || each.case.group === "streams");
  const multiplexed = result.cases.filter((each) => each.case.group === "multiplexing");
  writeFileSync(join(root, "docs/benchmarks.svg"), plotRates(compared, contenderNames));
  writeFileSync(join(root, "docs/benchmarks-multiplexing.svg"), plotMultiplexing(multiplexed));
  replaceMarked(join(root, "docs/benchmarks.md"), report(result));
  replaceMarked(join(root, "README.md"), summary(result));
}

/** Returns everything that a run found out, as Markdown. */
export function report(result: BenchResult): string {
  const { cases, bundles } = result;
  const parts = [setting(result), "![Calls or messages a second](benchmarks.svg)"];
  for (const [group, title] of Object.entries(titles)) {
    const those = cases.filter((each) => each.case.group === group);
    if (those.length > 0) {
      parts.push(`### ${title}`, ...groupParts(group as Group, those));
    }
  }
  if (bundles.length > 0) {
    parts.push("### Size of a client with one service", bundleTable(bundles));
  }
  return parts.join("\n\n");
}

function groupParts(group: Group, those: readonly CaseResult[]): string[] {
  switch (group) {
    case "multiplexing":
      return ["![Messages a second, by the number of streams](benchmarks-multiplexing.svg)", caseTable(those)];
    case "fairness":
      return ["A unary call of 100 bytes, one in flight.", caseTable(those)];
    default:
      return those.flatMap((each) => [`**${each.case.name}**`, caseTable([each])]);
  }
}

function summary(result: BenchResult): string {
  const shown = inReadme.flatMap((name) => result.cases.filter((each) => each.case.name === name));
  const plot = "![Calls or messages a second](docs/benchmarks.svg)";
  return [plot, rateTable(shown, contenderNames), setting(result)].join("\n\n");
}

function setting({ quick, timing, date, machine, loadBefore, versions }: BenchResult): string {
  const { rounds, roundMs } = timing;
  const measured = `medians of ${rounds} rounds of ${(roundMs / 1_000).toLocaleString("en")} s`;
  const form = quick ? `With \`--quick\`, so that they are rough: ${measured}.` : `The full form: ${measured}.`;
  const busy = `The machine's load was ${loadBefore.toFixed(1)} before the run.`;
  return `Taken on ${date}, on ${machine}. ${busy} ${form} Versions: ${versions.join(", ")}.`;
}

const begin = "<!-- benchmarks: written by npm run bench -->";
const end = "<!-- benchmarks end -->";

function replaceMarked(file: string, text: string): void {
  const before = readFileSync(file, "utf8");
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`${file} has no lines ${begin} and ${end} to write between`);
  }
  writeFileSync(file, `${before.slice(0, from)}${begin}\n\n${text}\n\n${before.slice(to)}`);
}
