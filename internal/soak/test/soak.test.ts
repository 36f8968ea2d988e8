// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planCall } from "../src/call-plan.js";
import { Choices } from "../src/choices.js";
import { chooseRound, runChosen, type Tally, turnOfRounds } from "../src/rounds.js";

// A short form of `npm run soak`, from a fixed seed.
describe("calls whose plans and faults are random", () => {
  const tallies = new Map<string, Tally>();

  for (let seed = 4 * turnOfRounds; seed < 5 * turnOfRounds; seed++) {
    const choice = chooseRound(seed);
    test(`end once each, with the right result or an error that is true, when ${choice.scenario.name}, over ${choice.link}`, async () => {
      assert.deepEqual(await runChosen(choice, tallies, { calls: 30, spreadMs: 60 }), []);
    });
  }

  test("are of all sorts, and some of them succeed", () => {
    const outcomes = new Set([...tallies.values()].flatMap((tally) => [...tally.outcomes.keys()]));
    for (const outcome of ["success", "planned", "canceled", "deadline", "unavailable"] as const) {
      assert.ok(outcomes.has(outcome), `no call came to ${outcome}`);
    }
    assert.equal(tallies.size, turnOfRounds);
  });
});

test("the same seed gives the same plans", () => {
  const plans = (seed: number): string => {
    const choices = new Choices(seed);
    const limits = { spreadMs: 100, needsDeadline: false, maxBytes: 100_000 };
    return JSON.stringify(Array.from({ length: 50 }, (_, id) => planCall(id, choices, limits)));
  };
  assert.equal(plans(7), plans(7));
  assert.notEqual(plans(7), plans(8));
});
