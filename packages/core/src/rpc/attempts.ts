// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { type BackoffInit, backoffMs } from "./backoff.js";
import { asNotStarted } from "./unreachable.js";

/** How to make {@link Attempts}. */
export interface AttemptsInit<T> {
  /** Makes one attempt, and gives up when the signal aborts. */
  readonly attempt: (signal: AbortSignal) => Promise<T>;

  /** The pauses between attempts, or undefined for none: nothing is tried again unless it is asked for. */
  readonly backoff: BackoffInit | undefined;

  /** An attempt succeeded. */
  readonly succeeded: (result: T) => void;

  /** An attempt failed. The reason is in `error`. */
  readonly failed: () => void;

  /** A pause is over. */
  readonly resumed: () => void;
}

/**
 * Attempts to get something that cannot be had at times, such as a
 * connection, with pauses between those that fail: longer and longer, until
 * one succeeds and what came of it proves to be of use.
 */
export class Attempts<T> {
  readonly #init: AttemptsInit<T>;
  readonly #abort = new AbortController();
  #underway = 0;
  #lastMs = 0;
  #failures = 0;
  #error: DrpcError | undefined;
  #retryAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #held = false;

  constructor(init: AttemptsInit<T>) {
    this.#init = init;
  }

  /** How many attempts are under way. */
  get underway(): number {
    return this.#underway;
  }

  /** How long the last one that succeeded took, in milliseconds. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** The last failure, until something proves to be of use. */
  get error(): DrpcError | undefined {
    return this.#error;
  }

  /** When the pause is over, in milliseconds since 1970, if there is one. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /**
   * True while nobody may make an attempt. The pause after a single failure
   * does not count: that was perhaps a matter of a moment, and a call may try at once.
   */
  get pausing(): boolean {
    return this.#retryAt !== undefined && this.#failures > 1;
  }

  /** Makes an attempt. What comes of it is told to `succeeded` or `failed`. */
  make(): void {
    this.#stopPause();
    this.#underway++;
    const start = performance.now();
    this.#attempt().then(
      (result) => {
        this.#underway--;
        this.#lastMs = performance.now() - start;
        this.#init.succeeded(result);
      },
      (reason) => {
        this.#underway--;
        this.failed(DrpcError.from(reason, Code.Unavailable));
        this.#init.failed();
      },
    );
  }

  /** Makes an attempt that rejects also if it throws at once. */
  #attempt(): Promise<T> {
    try {
      return Promise.resolve(this.#init.attempt(this.#abort.signal));
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  /** An attempt failed, or what came of it was lost before it was of any use. */
  failed(error: DrpcError): void {
    if (this.#abort.signal.aborted) {
      return;
    }
    const { backoff } = this.#init;
    this.#error = asNotStarted(error);
    if (backoff === undefined || this.#retryAt !== undefined) {
      return;
    }
    this.#failures++;
    const pauseMs = backoffMs(backoff, this.#failures);
    this.#retryAt = Date.now() + pauseMs;
    this.#timer = setTimeout(() => {
      this.#stopPause();
      this.#init.resumed();
    }, pauseMs);
    this.hold(this.#held);
  }

  /** What came of an attempt proved to be of use. */
  proved(): void {
    this.#failures = 0;
    this.#error = undefined;
    this.#stopPause();
  }

  /** Says whether the process must not end before the pause does: only if a call waits for it. */
  hold(held: boolean): void {
    this.#held = held;
    // Only some platforms have timers that can keep a process alive.
    const timer = this.#timer as { ref?: () => void; unref?: () => void } | undefined;
    if (held) {
      timer?.ref?.();
    } else {
      timer?.unref?.();
    }
  }

  /** Gives up what is under way, and tries nothing any more. */
  close(): void {
    this.#stopPause();
    this.#abort.abort();
  }

  #stopPause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#retryAt = undefined;
  }
}
