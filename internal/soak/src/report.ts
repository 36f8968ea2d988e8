// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import { cpus, type } from "node:os";
import Table from "cli-table3";
import type { Outcome } from "./judge.js";
import type { LeakReport } from "./leak-checks.js";
import type { Tally } from "./rounds.js";

/** What came of a soak. */
export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  readonly tallies: readonly Tally[];
  readonly leaks: readonly LeakReport[];

  /** How much more was alive at the end than after the first turn of all rounds. */
  readonly grownBytes: number;
}

interface Columns {
  readonly head: string[];
  readonly rows: string[][];
}

const outcomes: readonly Outcome[] = ["success", "planned", "canceled", "deadline", "unavailable", "damaged"];

/** Shows a report in the terminal. */
export function printReport(report: SoakReport): void {
  for (const { head, rows } of [roundColumns(report), leakColumns(report)]) {
    if (rows.length > 0) {
      const table = new Table({ head, style: { head: [], border: [] } });
      table.push(...rows);
      console.log(table.toString());
    }
  }
}

/** Writes a report into a document, between its markers. */
export function writeReport(report: SoakReport, document: string): void {
  const text = readFileSync(document, "utf8");
  const [begin, end] = ["<!-- soak:begin -->", "<!-- soak:end -->"].map((marker) => text.indexOf(marker)) as [
    number,
    number,
  ];
  if (begin < 0 || end < begin) {
    throw new Error(`${document} has no markers soak:begin and soak:end`);
  }
  const head = text.slice(0, begin + "<!-- soak:begin -->".length);
  writeFileSync(document, `${head}\n\n${markdown(report)}\n${text.slice(end)}`);
}

function markdown(report: SoakReport): string {
  const cpu = cpus();
  const model = cpu[0]?.model.trim() ?? "unknown";
  const machine = `${cpu.length} × ${model}, ${type()}, Node ${process.version}`;
  const calls = report.tallies.reduce((sum, tally) => sum + callsOf(tally), 0);
  return [
    `Run on ${new Date().toISOString().slice(0, 10)} for ${report.minutes} minutes from seed ${report.seed}, on ${machine}.`,
    `${group(calls)} calls; ${kib(report.grownBytes)} KiB more alive at the end than near the beginning.`,
    "",
    ...markdownTable(roundColumns(report)),
    "",
    ...markdownTable(leakColumns(report)),
    "",
  ].join("\n");
}

function roundColumns({ tallies }: SoakReport): Columns {
  return {
    head: ["what goes wrong", "over", "rounds", "connections", "calls", ...outcomes, "untrue"],
    rows: tallies.map((tally) => [
      tally.scenario,
      tally.link,
      ...[tally.rounds, tally.connections, callsOf(tally)].map(group),
      ...outcomes.map((outcome) => group(tally.outcomes.get(outcome) ?? 0)),
      group(tally.problems),
    ]),
  };
}

function leakColumns({ leaks }: SoakReport): Columns {
  return {
    head: ["what is done", "over", "times", "more alive after the second half, KiB", "left behind"],
    rows: leaks.map(({ name, link, times, grownBytes, problems }) => [
      name,
      link,
      group(times),
      kib(grownBytes),
      problems.length === 0 ? "nothing" : problems.join("; "),
    ]),
  };
}

function markdownTable({ head, rows }: Columns): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

function callsOf({ outcomes: counts }: Tally): number {
  return [...counts.values()].reduce((sum, calls) => sum + calls, 0);
}

function group(value: number): string {
  return value.toLocaleString("en-US");
}

function kib(bytes: number): string {
  return group(Math.round(bytes / 1_024));
}
