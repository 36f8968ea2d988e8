// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the conformance suite of connectrpc/conformance in all ways, prints the counts, and writes them into
// docs/compatibility.md. Exits with 1 if a case failed, or if Go is missing. Arguments are parts of the names of ways:
// then only those run, and nothing is written.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { type Counts, Runner } from "./runner.js";
import { ways } from "./ways.js";

const document = new URL("../../../docs/compatibility.md", import.meta.url);
const markers = /(<!-- conformance:begin -->\n\n)[\s\S]*?(\n<!-- conformance:end -->)/;

if (spawnSync("go", ["version"]).status !== 0) {
  console.error(
    "conformance: skipped, as Go was not found. The suite's runner is built with the program `go`, 1.26 or newer.",
  );
  process.exit(1);
}
const runner = new Runner();
runner.checkProtos();
const wanted = process.argv.slice(2);
const results = new Map<string, Counts>();
for (const way of ways) {
  if (wanted.length === 0 || wanted.some((part) => way.name.includes(part))) {
    console.log(`\n${way.name}`);
    results.set(way.name, await runner.run(way));
  }
}
const text = `Run by \`npm run conformance\`: connectrpc.com/conformance ${runner.version}.\n\n${table()}`;
console.log(`\n${text}`);
const failed = [...results.values()].reduce((sum, counts) => sum + counts.failed, 0);
if (failed === 0 && wanted.length === 0) {
  const before = readFileSync(document, "utf8");
  if (!markers.test(before)) {
    throw new Error("docs/compatibility.md lacks the markers of conformance");
  }
  writeFileSync(
    document,
    before.replace(markers, (_, begin, end) => `${begin}${text}${end}`),
  );
}
process.exit(failed === 0 ? 0 : 1);

function table(): string {
  const head = ["under test", "passed", "failed", "excluded"];
  const rows = [...results].map(([name, counts]) => [
    name,
    ...[counts.passed, counts.failed, counts.excluded].map(String),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}
