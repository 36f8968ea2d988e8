// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createHistogram } from "node:perf_hooks";
import type { ClientRound } from "./measurement.js";

const longestNs = 600_000_000_000;

/** How long the calls of one round took. Its memory does not grow with their number. */
export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: longestNs, figures: 3 });
  readonly #start = performance.now();
  #last = this.#start;

  /** Records a call that began at `start` and ends now, both by `performance.now()`. Returns now. */
  record(start: number): number {
    const now = performance.now();
    this.#histogram.record(Math.min(longestNs, Math.max(1, Math.round((now - start) * 1e6))));
    this.#last = now;
    return now;
  }

  /** What the round was, up to the last call that ended. */
  round(): ClientRound {
    return {
      calls: this.#histogram.count,
      elapsedMs: this.#last - this.#start,
      p50Us: this.#histogram.percentile(50) / 1e3,
      p99Us: this.#histogram.percentile(99) / 1e3,
    };
  }
}
