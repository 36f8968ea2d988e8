// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attackCases } from "../src/attack-cases.js";
import { expectedOpen } from "../src/expected-open.js";
import { CaseRunner } from "../src/run-case.js";

// One at a time, in the quick form; `npm run attack` attacks harder, and shows what is open too.
describe("a server stays up, its memory is bounded, and others are served", () => {
  test("under attack", { timeout: 600_000 }, async (t) => {
    await using runner = new CaseRunner({ quick: true });
    for (const attackCase of attackCases) {
      const { name, what, missing } = attackCase;
      await t.test(`${name}: ${what}`, { skip: expectedOpen.get(name) ?? missing?.() ?? false }, async () => {
        const { status, remark } = await runner.run(attackCase);
        assert.equal(status, "holds", remark);
      });
    }
  });

  test("every case that is known to be open is a case", () => {
    const names = new Set(attackCases.map(({ name }) => name));
    assert.equal(names.size, attackCases.length, "two cases have the same name");
    assert.deepEqual(
      [...expectedOpen.keys()].filter((name) => !names.has(name)),
      [],
    );
  });
});
