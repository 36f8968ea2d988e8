// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { Deadline, formatTimeout, parseTimeout } from "../../src/rpc/deadline.js";

const maxTimerMs = 2 ** 31 - 1;

/** A clock that both timers and performance.now follow. */
function useClock(t: TestContext): { advance(milliseconds: number): void; readonly timers: number[] } {
  let now = 1_000;
  const timers: number[] = [];
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const { setTimeout: mocked } = globalThis;
  t.mock.method(globalThis, "setTimeout", (callback: () => void, delay: number) => {
    timers.push(delay);
    return mocked(callback, delay);
  });
  return {
    timers,
    advance(milliseconds) {
      now += milliseconds;
      t.mock.timers.tick(milliseconds);
    },
  };
}

describe("Deadline", () => {
  test("says how much is left, less than nothing once it has passed", (t) => {
    const clock = useClock(t);
    const deadline = new Deadline(500);
    assert.deepEqual([deadline.timeoutMs, deadline.remainingMs], [500, 500]);
    clock.advance(600);
    assert.deepEqual([deadline.timeoutMs, deadline.remainingMs], [500, -100]);
  });

  test("calls back once, when it has passed and not before", (t) => {
    const clock = useClock(t);
    const deadline = new Deadline(500);
    const callback = t.mock.fn();
    deadline.onPassed(callback);
    clock.advance(499);
    assert.equal(callback.mock.callCount(), 0);
    clock.advance(1);
    assert.equal(callback.mock.callCount(), 1);
    clock.advance(10_000);
    assert.equal(callback.mock.callCount(), 1);
  });

  test("does not call back once that was called off", (t) => {
    const clock = useClock(t);
    const callback = t.mock.fn();
    const callOff = new Deadline(500).onPassed(callback);
    clock.advance(400);
    callOff();
    clock.advance(10_000);
    assert.equal(callback.mock.callCount(), 0);
    callOff();
  });

  test("waits on when a timer fires early", (t) => {
    const clock = useClock(t);
    const callback = t.mock.fn();
    const deadline = new Deadline(10);
    deadline.onPassed(callback);
    t.mock.timers.tick(10);
    assert.equal(callback.mock.callCount(), 0, "the timer fired, but the clock stands still");
    clock.advance(10);
    assert.equal(callback.mock.callCount(), 1);
  });

  test("can be called off after a timer has fired early", (t) => {
    const clock = useClock(t);
    const callback = t.mock.fn();
    const callOff = new Deadline(10).onPassed(callback);
    t.mock.timers.tick(10);
    callOff();
    clock.advance(100);
    assert.equal(callback.mock.callCount(), 0);
  });

  test("calls back in a later turn when it has passed already", (t) => {
    const clock = useClock(t);
    for (const timeoutMs of [0, -5, Number.NEGATIVE_INFINITY]) {
      const callback = t.mock.fn();
      new Deadline(timeoutMs).onPassed(callback);
      assert.equal(callback.mock.callCount(), 0);
      clock.advance(1);
      assert.equal(callback.mock.callCount(), 1);
    }
  });

  test("waits longer than a timer can", (t) => {
    const clock = useClock(t);
    const callback = t.mock.fn();
    new Deadline(2 * maxTimerMs + 1_000).onPassed(callback);
    clock.advance(maxTimerMs);
    clock.advance(maxTimerMs);
    assert.equal(callback.mock.callCount(), 0);
    assert.deepEqual(clock.timers, [maxTimerMs, maxTimerMs, 1_000]);
    clock.advance(1_000);
    assert.equal(callback.mock.callCount(), 1);
  });
});

describe("formatTimeout", () => {
  test("writes milliseconds, or a larger unit where eight digits are not enough", () => {
    const cases = [
      [500, "500m"],
      [0.2, "1m"],
      [1.1, "2m"],
      [99_999_999, "99999999m"],
      [100_000_000, "100000S"],
      [100_000_001, "100001S"],
      [99_999_999_000, "99999999S"],
      [100_000_000_000, "1666667M"],
      [99_999_999 * 60_000, "99999999M"],
      [100_000_000 * 60_000, "1666667H"],
    ] as const;
    for (const [milliseconds, text] of cases) {
      assert.equal(formatTimeout(milliseconds), text);
    }
  });

  test("writes the shortest time there is for one that is over", () => {
    assert.deepEqual([0, -1, -1e30].map(formatTimeout), ["1m", "1m", "1m"]);
  });

  test("writes the longest time there is for one that is longer", () => {
    for (const milliseconds of [1e15, 1e21, 1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      assert.equal(formatTimeout(milliseconds), "99999999H", String(milliseconds));
    }
  });

  test("is read back as no less than it was, and hardly more", () => {
    fc.assert(
      fc.property(fc.double({ min: -10, max: 3e14, noNaN: true }), (milliseconds) => {
        const text = formatTimeout(milliseconds);
        assert.match(text, /^[1-9]\d{0,7}[mSMH]$/);
        const read = parseTimeout(text) as number;
        assert.ok(read >= milliseconds);
        assert.ok(
          read - Math.max(0, milliseconds) <= Math.max(1, milliseconds / 1_000),
          `${milliseconds} became ${read}`,
        );
      }),
    );
  });
});

describe("parseTimeout", () => {
  test("reads every unit that gRPC has", () => {
    const cases = {
      "2H": 7_200_000,
      "3M": 180_000,
      "4S": 4_000,
      "5m": 5,
      "7000u": 7,
      "8000000n": 8,
      "0m": 0,
      "00000001S": 1_000,
    };
    for (const [text, milliseconds] of Object.entries(cases)) {
      assert.ok(Math.abs((parseTimeout(text) as number) - milliseconds) < 1e-9, text);
    }
    assert.equal(parseTimeout("99999999H"), 99_999_999 * 3_600_000);
  });

  test("returns undefined for anything else", () => {
    for (const text of [
      "",
      "m",
      "5",
      "5s",
      "5h",
      "-5m",
      "+5m",
      "5.5S",
      "1e3m",
      "123456789m",
      " 5m",
      "5m ",
      "5m\n",
      "5 m",
      "٥m",
      "5mm",
    ]) {
      assert.equal(parseTimeout(text), undefined, JSON.stringify(text));
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const milliseconds = parseTimeout(text);
        assert.ok(milliseconds === undefined || (Number.isFinite(milliseconds) && milliseconds >= 0));
      }),
    );
  });
});
