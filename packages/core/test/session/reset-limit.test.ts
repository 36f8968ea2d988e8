// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, type DrpcError } from "@ts-drpc/core";
import fc from "fast-check";
import { ResetLimit } from "../../src/session/reset-limit.js";

const start = 1_700_000_000_000;

/** Counts a number of resets at one moment, and returns how many were too many. */
function tooMany(limit: ResetLimit, count: number, now: number): number {
  return Array.from({ length: count }, () => limit.count(now)).filter((error) => error !== undefined).length;
}

test("lets ten seconds' worth come at once, and not one more", () => {
  const limit = new ResetLimit(5);
  assert.equal(tooMany(limit, 50, start), 0);
  const error = limit.count(start) as DrpcError;
  assert.equal(error.code, Code.ResourceExhausted);
  assert.match(error.rawMessage, /the limit maxResetsPerSecond is 5$/);
});

test("lets a steady flow of the limit pass for ever", () => {
  const limit = new ResetLimit(5);
  let now = start;
  assert.equal(tooMany(limit, 50, now), 0);
  for (let second = 0; second < 1_000; second++) {
    now += 1_000;
    assert.equal(tooMany(limit, 5, now), 0);
  }
  assert.equal(tooMany(limit, 1, now), 1);
});

test("saves up no more than ten seconds' worth, however long nothing happened", () => {
  const limit = new ResetLimit(5);
  assert.equal(tooMany(limit, 1, start), 0);
  assert.equal(tooMany(limit, 60, start + 1_000_000_000), 10);
});

test("earns nothing by a clock that is set back", () => {
  const limit = new ResetLimit(5);
  assert.equal(tooMany(limit, 50, start), 0);
  assert.equal(tooMany(limit, 1, start - 100_000), 1);
});

test("lets no more pass in any time than the burst and what the time is worth", () => {
  const step = fc.tuple(fc.nat(2_000), fc.nat(20));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(step), (perSecond, steps) => {
      const limit = new ResetLimit(perSecond);
      let now = start;
      let passed = 0;
      for (const [ms, count] of steps) {
        now += ms;
        for (let each = 0; each < count; each++) {
          if (limit.count(now) !== undefined) {
            return;
          }
          passed++;
        }
      }
      assert.ok(passed <= perSecond * (10 + (now - start) / 1_000) + 0.001);
    }),
  );
});
