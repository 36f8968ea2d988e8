// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { backoffMs } from "../../src/rpc/backoff.js";

const maxTimerMs = 0x7fff_ffff;

describe("the pause after a failure", () => {
  test("grows by 1.6 from the first one, and differs by at most a fifth, whatever chance says", (t) => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    let drawn = 0;
    t.mock.method(Math, "random", () => drawn);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 40 }),
        random,
        (initialMs, failures, chance) => {
          drawn = chance;
          const maxMs = 3_600_000;
          const pause = Math.min(initialMs * 1.6 ** (failures - 1), maxMs);
          const paused = backoffMs({ initialMs, maxMs }, failures);
          assert.ok(paused >= Math.floor(pause * 0.8) && paused <= Math.ceil(pause * 1.2), `${paused} for ${pause}`);
        },
      ),
    );
  });

  test("is at the lowest and the highest a fifth from the middle", (t) => {
    const random = t.mock.method(Math, "random", () => 0);
    assert.equal(backoffMs({ initialMs: 1_000, maxMs: 9_000 }, 1), 800);
    random.mock.mockImplementation(() => 1);
    assert.equal(backoffMs({ initialMs: 1_000, maxMs: 9_000 }, 2), 1_920);
  });

  test("is never longer than timers take, after any number of failures", () => {
    for (const failures of [1, 10, 2_000, Number.MAX_SAFE_INTEGER]) {
      const paused = backoffMs({ initialMs: maxTimerMs, maxMs: maxTimerMs }, failures);
      assert.ok(paused > maxTimerMs / 2 && paused <= maxTimerMs);
    }
  });
});
