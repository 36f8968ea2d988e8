// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Choices that look random, and are the same for the same seed. */
export class Choices {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** A whole number in a range, both ends included. */
  between(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  /** True in so many of a hundred cases. */
  percent(chance: number): boolean {
    return this.between(1, 100) <= chance;
  }

  /** One of several. */
  of<T>(...all: readonly T[]): T {
    return all[this.between(0, all.length - 1)] as T;
  }

  /** A size in bytes: mostly small, sometimes larger than a frame, seldom larger than a window. */
  size(maxBytes: number): number {
    const most = this.of(0, 20, 20, 300, 300, 5_000, 5_000, 70_000, 70_000, 300_000);
    return this.between(0, Math.min(maxBytes, this.percent(2) ? 2_000_000 : most));
  }
}
