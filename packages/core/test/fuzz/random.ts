// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A source of numbers that are the same again for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a whole number from 0 to below a bound. */
  below(bound: number): number {
    // Mulberry32, which is short and good enough here.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** Is true once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Returns one of some things. */
  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

/** Returns a seed that depends on bytes alone, so that whatever is derived from an input is the same each time. */
export function seedOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
