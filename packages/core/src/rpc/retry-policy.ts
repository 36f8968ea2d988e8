// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import { wholeNumber } from "../session/session-options.js";
import { Code } from "../vocabulary/code.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import { object, show } from "../vocabulary/option-values.js";
import type { RetryOptions } from "../vocabulary/retry-options.js";
import { type BackoffInit, backoffMs } from "./backoff.js";

const attemptsLimit = 10;

// What was not started for any other reason, such as a method that the peer does not have, is not started next time either.
const passingCodes: ReadonlySet<number> = new Set([Code.Unavailable, Code.ResourceExhausted]);

/** Decides which calls are made again, and when. */
export class RetryPolicy {
  /** How often a call is made at most. */
  readonly maxAttempts: number;
  readonly #asked: boolean;
  readonly #codes: ReadonlySet<number>;
  readonly #backoff: BackoffInit;

  /** Throws a RangeError or TypeError that names the option if one has a wrong value. */
  constructor(options: RetryOptions | undefined) {
    const {
      maxAttempts = 3,
      codes = [Code.Unavailable],
      initialBackoffMs = 100,
      maxBackoffMs = 2_000,
    } = options === undefined ? {} : object("retry", options);
    if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > attemptsLimit) {
      throw new RangeError(
        `retry.maxAttempts must be a whole number from 1 to ${attemptsLimit}, got ${show(maxAttempts)}`,
      );
    }
    if (!Array.isArray(codes) || codes.some((code) => !Number.isSafeInteger(code))) {
      const wrong: unknown = Array.isArray(codes) ? codes.find((code) => !Number.isSafeInteger(code)) : codes;
      throw new TypeError(`retry.codes must be an array of codes, got ${show(wrong)}`);
    }
    this.maxAttempts = maxAttempts;
    this.#asked = options !== undefined;
    this.#codes = new Set(codes);
    this.#backoff = {
      initialMs: wholeNumber("retry.initialBackoffMs", initialBackoffMs),
      maxMs: wholeNumber("retry.maxBackoffMs", maxBackoffMs),
    };
  }

  /**
   * True if a call that failed may be made again: the peer certainly did not
   * start it, or the user asked for it and it does no harm. Whether the
   * attempt was `connected` matters as a call that found no connection fails
   * fast unless the user asked for more.
   */
  allows(method: DescMethod, error: DrpcError, connected: boolean): boolean {
    if (connected && error.notStarted && passingCodes.has(error.code)) {
      return true;
    }
    // The levels are UNKNOWN, which is 0, NO_SIDE_EFFECTS and IDEMPOTENT.
    return this.#asked && this.#codes.has(error.code) && (error.notStarted || method.idempotency !== 0);
  }

  /** Returns how long to wait after so many attempts, in milliseconds. */
  delayMs(error: DrpcError, connected: boolean, attempts: number): number {
    // A peer that goes away says so once, and another connection is a matter of a moment. A full one takes its time.
    const moment = connected && error.notStarted && error.code !== Code.ResourceExhausted && attempts === 1;
    return moment ? 0 : backoffMs(this.#backoff, attempts);
  }
}
