// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Gives numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // The generator stands still at 0, and seeds that are close should not begin alike.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 1;
    for (let turns = 0; turns < 8; turns++) {
      this.below(1);
    }
  }

  /** Returns a whole number from 0 up to, but not including, a limit of at most 2^32. */
  below(limit: number): number {
    // G. Marsaglia, Xorshift RNGs, 2003.
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.floor(((this.#state >>> 0) / 0x1_0000_0000) * limit);
  }
}
