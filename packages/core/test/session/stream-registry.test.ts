// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Registered, StreamRegistry } from "../../src/session/stream-registry.js";

const firstSlots = 16;
const maxSlots = 4_096;

function stream(id: number): Registered {
  return { id };
}

function registryOf(ids: readonly number[]): { registry: StreamRegistry<Registered>; streams: Registered[] } {
  const registry = new StreamRegistry<Registered>();
  const streams = ids.map(stream);
  for (const each of streams) {
    registry.add(each);
  }
  return { registry, streams };
}

function range(count: number, step: number = 1): number[] {
  return Array.from({ length: count }, (_, index) => 1 + index * step);
}

/** Asserts that a registry has exactly these streams. */
function assertHolds(registry: StreamRegistry<Registered>, streams: readonly Registered[]): void {
  assert.equal(registry.size, streams.length);
  assert.deepEqual(new Set(registry.all()), new Set(streams));
  assert.equal(registry.all().length, streams.length);
  for (const each of streams) {
    assert.equal(registry.get(each.id), each);
  }
}

describe("StreamRegistry", () => {
  test("finds nothing when it is empty", () => {
    const registry = new StreamRegistry<Registered>();
    assertHolds(registry, []);
    assert.equal(registry.get(0), undefined);
    assert.equal(registry.get(1), undefined);
  });

  test("finds streams of ids that were given out in order, however many", () => {
    for (const count of [1, firstSlots, firstSlots + 1, 1_000, maxSlots, maxSlots + 1, maxSlots + 1_000]) {
      const { registry, streams } = registryOf(range(count));
      assertHolds(registry, streams);
      assert.equal(registry.get(count + 1), undefined);
    }
  });

  test("finds streams whose ids all want the same place", () => {
    const { registry, streams } = registryOf(range(200, maxSlots));
    assertHolds(registry, streams);
    assert.equal(registry.get(1 + 200 * maxSlots), undefined);
  });

  test("tells ids apart that differ only above the 32nd bit", () => {
    const { registry, streams } = registryOf([5, 5 + 2 ** 32, 5 + 2 ** 40, Number.MAX_SAFE_INTEGER, 0xffff_ffff]);
    assertHolds(registry, streams);
    assert.equal(registry.get(5 + 2 ** 33), undefined);
  });

  test("does not find a stream that was removed, and still finds the one that it had displaced", () => {
    const { registry, streams } = registryOf([1, 1 + firstSlots]);
    registry.delete(streams[0] as Registered);
    assertHolds(registry, streams.slice(1));
    assert.equal(registry.get(1), undefined);
    registry.delete(streams[1] as Registered);
    assertHolds(registry, []);
  });

  test("leaves a stream alone when another one of its id is removed, wherever it lies", () => {
    for (const id of [1, 1 + firstSlots]) {
      const { registry, streams } = registryOf([1, 1 + firstSlots]);
      registry.delete(stream(id));
      assertHolds(registry, streams);
    }
  });

  test("hands out a list of its own", () => {
    const { registry, streams } = registryOf([1, 2]);
    registry.all().length = 0;
    assertHolds(registry, streams);
  });

  test("can be emptied while somebody walks over what was in it", () => {
    const { registry } = registryOf(range(100, 7));
    for (const each of registry.all()) {
      registry.delete(each);
    }
    assertHolds(registry, []);
  });

  test("behaves as a Map, whatever ids come and go", () => {
    const id = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 40 }).map((turn) => 3 + turn * firstSlots),
      fc.integer({ min: 0, max: 40 }).map((turn) => 3 + turn * maxSlots),
      fc.integer({ min: 0, max: 8 }).map((turn) => 3 + turn * 2 ** 32),
      fc.maxSafeNat(),
    );
    const step = fc.record({ remove: fc.boolean(), id, stale: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        const registry = new StreamRegistry<Registered>();
        const model = new Map<number, Registered>();
        for (const { remove, id: at, stale } of steps) {
          const there = model.get(at);
          assert.equal(registry.get(at), there);
          if (remove && (stale || there === undefined)) {
            registry.delete(stream(at));
          } else if (remove) {
            registry.delete(there as Registered);
            model.delete(at);
          } else if (there === undefined) {
            model.set(at, stream(at));
            registry.add(model.get(at) as Registered);
          }
          assert.equal(registry.size, model.size);
        }
        assertHolds(registry, [...model.values()]);
      }),
    );
  });
});
