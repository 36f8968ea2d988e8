// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { defaultBound } from "./attack-case.js";
import type { CaseReport } from "./run-case.js";

const file = new URL("../../../docs/reliability.md", import.meta.url);
const begin = "<!-- attack:begin -->";
const end = "<!-- attack:end -->";

const head = [
  "nr.",
  "case",
  "what the peer does",
  "holds",
  "heap MiB, peak / bound",
  "RSS MiB, peak / bound",
  "p99 ms, alone / attacked",
  "what was seen",
] as const;

/** Shows reports as a table. */
export function reportTable(reports: readonly CaseReport[]): string {
  const rows = [head.map(String), head.map(() => ""), ...reports.map(row)];
  const widths = head.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)));
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

function row({ attackCase, status, remark, peak, alone, attacked }: CaseReport): string[] {
  const { bound = defaultBound } = attackCase;
  const against = (value: number | undefined, limit: number): string =>
    value === undefined ? "" : `${value.toFixed()} / ${limit}`;
  const shown = { holds: "yes", open: "not yet", failed: "**no**", closed: "yes", skipped: "not run" }[status];
  return [
    String(attackCase.attack),
    attackCase.name,
    attackCase.what,
    shown,
    against(peak?.heapMiB, bound.heapMiB),
    against(peak?.rssMiB, bound.rssMiB),
    alone === undefined || attacked === undefined ? "" : `${alone.p99Ms.toFixed(1)} / ${attacked.p99Ms.toFixed(1)}`,
    oneLine(remark),
  ];
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").replaceAll("|", "\\|");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
