// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TurnQueue } from "../../src/session/turn-queue.js";

interface Frames {
  readonly streamId: number;
  readonly name: string;
}

const frameBytes = 65_536;

describe("TurnQueue", () => {
  test("lets a small message of a stream that has sent little ahead of a thousand large ones", () => {
    const queue = new TurnQueue<Frames>();
    for (let streamId = 1; streamId <= 1_000; streamId++) {
      queue.push({ streamId, name: "large" }, frameBytes);
    }
    queue.shift();
    queue.push({ streamId: 2_000, name: "small" }, 100);
    assert.equal(queue.shift()?.name, "small");
  });

  test("shares by bytes: a stream of small messages gets many turns for one of a stream of large ones", () => {
    const queue = new TurnQueue<Frames>();
    const served = { large: 0, small: 0 };
    queue.push({ streamId: 1, name: "large" }, frameBytes);
    queue.push({ streamId: 2, name: "small" }, 1_000);
    for (let turn = 0; turn < 1_000; turn++) {
      const { name, streamId } = queue.shift() as Frames;
      served[name as keyof typeof served] += name === "large" ? frameBytes : 1_000;
      queue.push({ streamId, name }, name === "large" ? frameBytes : 1_000);
    }
    assert.ok(served.small > served.large * 0.85 && served.small < served.large * 1.15, JSON.stringify(served));
  });

  test("goes by the order of arrival among equals", () => {
    const queue = new TurnQueue<Frames>();
    for (let streamId = 9; streamId > 0; streamId--) {
      queue.push({ streamId, name: "" }, 10);
    }
    const order = Array.from({ length: 9 }, () => queue.shift()?.streamId);
    assert.deepEqual(order, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert.equal(queue.shift(), undefined);
  });

  test("loses nothing, gives nothing twice, and starves nobody, whatever is pushed, taken and dropped", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 6 }), bytes: fc.nat(frameBytes) }) },
      { weight: 4, arbitrary: fc.constant("shift" as const) },
      { weight: 1, arbitrary: fc.record({ drop: fc.integer({ min: 1, max: 6 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new TurnQueue<Frames>();
        let inside: Frames[] = [];
        for (const [index, each] of steps.entries()) {
          if (each === "shift") {
            const taken = queue.shift();
            assert.equal(taken === undefined, inside.length === 0);
            assert.ok(taken === undefined || inside.includes(taken));
            inside = inside.filter((other) => other !== taken);
          } else if ("push" in each) {
            const frames = { streamId: each.push, name: String(index) };
            queue.push(frames, each.bytes);
            inside.push(frames);
          } else {
            const dropped = queue.drop(each.drop);
            const expected = inside.filter(({ streamId }) => streamId === each.drop);
            assert.deepEqual(new Set(dropped), new Set(expected));
            inside = inside.filter(({ streamId }) => streamId !== each.drop);
          }
          assert.equal(queue.size, inside.length);
        }
        assert.deepEqual(new Set(queue.clear()), new Set(inside));
        assert.equal(queue.size, 0);
      }),
    );
  });
});
