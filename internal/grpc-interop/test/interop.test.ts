// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { cases } from "../src/cases.js";
import { pairs } from "../src/pairs.js";

const timeout = 20_000;
const document = new URL("../../../docs/compatibility.md", import.meta.url);
const markers = /(<!-- grpc-interop:begin -->\n\n)[\s\S]*?(\n<!-- grpc-interop:end -->)/;

/** The names of the pairs that passed, by case. */
const passed = new Map<string, Set<string>>([...cases.keys()].map((name) => [name, new Set()]));

for (const [pairName, createPair] of pairs) {
  describe(pairName, () => {
    for (const [caseName, run] of cases) {
      test(caseName, { timeout }, async () => {
        const pair = await createPair();
        try {
          await run(pair);
        } finally {
          await pair.close();
        }
        passed.get(caseName)?.add(pairName);
      });
    }
  });
}

test("docs/compatibility.md shows what passed; UPDATE_GOLDEN=1 writes it", () => {
  const text = readFileSync(document, "utf8");
  const written = text.replace(markers, (_, begin, end) => `${begin}${table()}${end}`);
  assert.match(text, markers);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(document, written);
  }
  assert.equal(readFileSync(document, "utf8"), written);
});

function table(): string {
  const head = ["case", ...pairs.keys()];
  const rows = [...passed].map(([name, by]) => [
    `\`${name}\``,
    ...[...pairs.keys()].map((pair) => (by.has(pair) ? "yes" : "no")),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}
