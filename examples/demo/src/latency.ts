// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createHistogram } from "node:perf_hooks";

/** How long calls took. */
export class Latency {
  readonly #nanoseconds = createHistogram();

  /** Makes a call and records how long it took. */
  async time<T>(call: () => Promise<T>): Promise<T> {
    const start = process.hrtime.bigint();
    const result = await call();
    this.#nanoseconds.record(process.hrtime.bigint() - start || 1n);
    return result;
  }

  /** How many calls there were. */
  get count(): number {
    return this.#nanoseconds.count;
  }

  /** Returns the time, in milliseconds, that this share of the calls did not exceed. */
  percentile(percent: number): string {
    return `${(this.#nanoseconds.percentile(percent) / 1e6).toFixed(2)} ms`;
  }
}
