// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";

// A burst is nothing unusual: a caller that leaves cancels all that it had asked for.
const burstSeconds = 10;

/**
 * ResetLimit counts the calls of a peer that came to nothing: that it canceled,
 * or that were refused or failed by its own fault. They cost the server work
 * and hold no place, so only their number in a time bounds them.
 */
export class ResetLimit {
  readonly #perSecond: number;
  #left: number;
  #since = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond * burstSeconds;
  }

  /** Counts one, and returns an error if it was one too many. */
  count(now: number = Date.now()): DrpcError | undefined {
    const earned = (Math.max(0, now - this.#since) * this.#perSecond) / 1_000;
    this.#left = Math.min(this.#left + earned, this.#perSecond * burstSeconds) - 1;
    this.#since = now;
    if (this.#left >= 0) {
      return undefined;
    }
    const text = `too many calls that were canceled, refused or invalid: the limit maxResetsPerSecond is ${this.#perSecond}`;
    return new DrpcError(text, Code.ResourceExhausted);
  }
}
