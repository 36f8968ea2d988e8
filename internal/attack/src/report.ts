// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { defaultBound } from "./attack-case.js";
import type { CaseReport } from "./run-case.js";

const file = new URL("../../../docs/reliability.md", import.meta.url);
const begin = "<!-- attack:begin -->";
const end = "<!-- attack:end -->";

type Column = readonly [head: string, cell: (report: CaseReport) => string];

const shownStatus = { holds: "yes", open: "not yet", failed: "**no**", closed: "yes", skipped: "not run" };

const first: readonly Column[] = [
  ["nr.", ({ attackCase }) => String(attackCase.attack)],
  ["case", ({ attackCase }) => attackCase.name],
  ["what the peer does", ({ attackCase }) => attackCase.what],
];

const last: readonly Column[] = [
  [
    "p99 ms, alone / attacked",
    ({ alone, attacked }) =>
      alone === undefined || attacked === undefined ? "" : `${alone.p99Ms.toFixed(1)} / ${attacked.p99Ms.toFixed(1)}`,
  ],
  ["what was seen", ({ remark }) => oneLine(remark)],
];

const columns: readonly Column[] = [
  ...first,
  ["holds", ({ status }) => shownStatus[status]],
  [
    "heap MiB, peak / bound",
    ({ peak, attackCase }) => against(peak?.heapMiB, (attackCase.bound ?? defaultBound).heapMiB),
  ],
  ["RSS MiB, peak / bound", ({ peak, attackCase }) => against(peak?.rssMiB, (attackCase.bound ?? defaultBound).rssMiB)],
  ...last,
];

// Of a server of somebody else it is only asked that it goes on to serve others.
const outsideColumns: readonly Column[] = [
  ...first,
  ["serves others", ({ status }) => shownStatus[status]],
  ["RSS MiB, peak", ({ peak }) => peak?.rssMiB?.toFixed() ?? ""],
  ...last,
];

/** Shows reports as a table, with the bounds of a server of ours or without. */
export function reportTable(reports: readonly CaseReport[], outside = false): string {
  const shown = outside ? outsideColumns : columns;
  const rows = [
    shown.map(([head]) => head),
    shown.map(() => ""),
    ...reports.map((report) => shown.map(([, cell]) => cell(report))),
  ];
  const widths = shown.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells, index) => {
      const padded = widths.map((width, column) =>
        index === 1 ? "-".repeat(width) : (cells[column] ?? "").padEnd(width),
      );
      return `| ${padded.join(" | ")} |\n`;
    })
    .join("");
}

/** Writes the table, and on what it was made, between the two markers of docs/reliability.md. */
export function writeReport(reports: readonly CaseReport[]): void {
  const text = readFileSync(file, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`docs/reliability.md lacks ${begin} or ${end}`);
  }
  const written = `${text.slice(0, from + begin.length)}\n\n${machine()}\n\n${reportTable(reports)}\n${text.slice(to)}`;
  writeFileSync(file, written);
}

function machine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.trim() ?? "unknown processor";
  const date = new Date().toISOString().slice(0, 10);
  return `Run by \`npm run attack\` on ${date}: ${cpus.length} × ${model}, ${os.type()}, Node ${process.version}.`;
}

function against(value: number | undefined, limit: number): string {
  return value === undefined ? "" : `${value.toFixed()} / ${limit}`;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").replaceAll("|", "\\|");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
