// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

// Items about bytes alone, whose tests are named after what they show: the file, and the beginning of the test's name.
const named: readonly (readonly [items: readonly number[], file: string, name: string])[] = [
  [[1], "wire/varint.test.ts", "writes the same bytes as Go"],
  [[2], "wire/varint.test.ts", "reads what Go reads"],
  [[3], "wire/varint.test.ts", "refuses a tenth byte with its top bit set"],
  [[4], "wire/varint.test.ts", "accepts forms that are longer than need be"],
  [[5], "wire/frame-header.test.ts", "writes the same frames as Go"],
  [[6], "wire/frame-reader.test.ts", "parses each vector in the same way"],
  [[7], "wire/frame-reader.test.ts", "gives the same frames and the same error byte by byte and in one piece"],
  [[8], "wire/frame-reader.test.ts", "refuses ids and lengths from 2^53 on"],
  [[9, 10, 11], "session/transcripts-client.test.ts", "our client sends what the recorded Go client sent"],
  [[12], "wire/packet-assembler.test.ts", "allocates nothing for data that was only announced"],
  [[13], "wire/packet-assembler.test.ts", "joins the frames of a packet, empty ones anywhere"],
  [[14], "wire/packet-assembler.test.ts", "accepts gaps between message ids"],
  [[15], "wire/packet-assembler.test.ts", "refuses a message id that was done already"],
  [[16], "wire/packet-assembler.test.ts", "refuses a message id below that of the packet under way"],
  [[17], "wire/packet-assembler.test.ts", "drops an unfinished packet silently"],
  [[18], "wire/packet-assembler.test.ts", "refuses a change of kind inside a packet"],
  [[19], "wire/packet-assembler.test.ts", "gives each stream its packets in order, however"],
  [[20], "wire/packet-assembler.test.ts", "lets a packet of exactly that size pass"],
  [[21], "wire/packet-assembler.test.ts", "is enforced while a packet is assembled"],
  [[74], "session/flow-control.test.ts", "makes the fork's WindowUpdate frames, with message id 0"],
  [[75], "session/control-frame-reader.test.ts", "reads what the fork reads"],
  [[79], "session/flow-control.test.ts", "coalesces grants as the fork does"],
  [[70], "wire/error-payload.test.ts", "writes the same bytes as Go"],
  [[70], "wire/error-payload.test.ts", "reads what Go reads"],
  [[71], "wire/metadata-payload.test.ts", "writes the same bytes as Go for each entry"],
  [[72], "wire/metadata-payload.test.ts", "writes out empty keys and values"],
  [[73], "wire/metadata-payload.test.ts", "reads what Go wrote, with U+FFFD for bytes that are no UTF-8"],
];

const root = new URL("..", import.meta.url);

function source(file: string): string {
  return readFileSync(new URL(file, root), "utf8");
}

test("every item of the conformance checklist has a test that names it", () => {
  const shown = new Set(named.flatMap(([items]) => items));
  for (const file of readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".test.ts"),
  )) {
    for (const [, item] of source(file).matchAll(/\bchecklist (\d+)\b/g)) {
      shown.add(Number(item));
    }
  }
  const missing = Array.from({ length: 90 }, (_, index) => index + 1).filter((item) => !shown.has(item));
  assert.deepEqual(missing, []);
});

test("the tests that are named for items about bytes exist", () => {
  assert.deepEqual(
    named.filter(([, file, name]) => !source(file).includes(name)),
    [],
  );
});
