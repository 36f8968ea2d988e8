// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import type { GoPeer } from "./go-program.js";

/** What the matrix shows of a scenario: for each Go peer, ours calling it, and it calling ours. */
export type Cells = readonly string[];

const file = new URL("../../../docs/compatibility.md", import.meta.url);

/** Writes a matrix between the two markers of docs/compatibility.md that name it. */
export function writeMatrix(name: string, peers: readonly GoPeer[], matrix: ReadonlyMap<string, Cells>): void {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const text = readFileSync(file, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`docs/compatibility.md lacks ${begin} or ${end}`);
  }
  const content = `${versions(peers)}${table(peers, matrix)}`;
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${content}\n${text.slice(to)}`);
}

/** Names what was run, as the Go modules have it. That of the multiplexing fork is in no go.mod. */
function versions(peers: readonly GoPeer[]): string {
  const modules = peers.filter((peer) => peer !== "cockroach-mux").map((peer) => `\`${peer}\` is ${moduleOf(peer)}`);
  return modules.length === 0 ? "" : `Run by \`npm run interop\`: ${modules.join(", ")}.\n\n`;
}

function moduleOf(peer: GoPeer): string {
  const text = readFileSync(new URL(`../${peer}/go.mod`, import.meta.url), "utf8");
  const found = /storj\.io\/drpc => (\S+ \S+)/.exec(text)?.[1] ?? /storj\.io\/drpc v\S+/.exec(text)?.[0];
  if (found === undefined) {
    throw new Error(`${peer}/go.mod names no version of DRPC`);
  }
  return found;
}

function table(peers: readonly GoPeer[], matrix: ReadonlyMap<string, Cells>): string {
  const head = ["scenario", ...peers.flatMap((peer) => [`ts-drpc calls ${peer}`, `${peer} calls ts-drpc`])];
  const rows = [head, head.map(() => ""), ...[...matrix].map(([name, cells]) => [name, ...cells])];
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row, index) => {
      const cells = widths.map((width, column) =>
        index === 1 ? "-".repeat(width) : (row[column] ?? "").padEnd(width),
      );
      return `| ${cells.join(" | ")} |\n`;
    })
    .join("");
}
