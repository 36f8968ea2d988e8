// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** The metadata key that carries what is left of a call's time, as in gRPC. */
export const timeoutKey = "grpc-timeout";

// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: at most 8 digits and a unit.
const maxTimeoutDigits = 8;
const maxTimeoutCount = 10 ** maxTimeoutDigits;
const units = new Map([
  ["n", 1e-6],
  ["u", 1e-3],
  ["m", 1],
  ["S", 1_000],
  ["M", 60_000],
  ["H", 3_600_000],
]);
const writtenUnits = ["m", "S", "M", "H"] as const;

// Longer than this, setTimeout fires at once.
const maxTimerMs = 0x7fff_ffff;

/** When a call must be over. */
export class Deadline {
  /** The time that the call was given, in milliseconds. */
  readonly timeoutMs: number;
  readonly #at: number;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#at = performance.now() + timeoutMs;
  }

  /** How many milliseconds are left. Below zero once it has passed. */
  get remainingMs(): number {
    return this.#at - performance.now();
  }

  /** Calls back once it has passed, unless the returned function is called before. */
  onPassed(callback: () => void): () => void {
    const timer = new DeadlineTimer(this, { deadlinePassed: callback });
    return () => timer.cancel();
  }
}

/** Is told that a deadline has passed. */
export interface DeadlineWatcher {
  deadlinePassed(deadline: Deadline): void;
}

/** Waits for a deadline, like `onPassed`, with as few functions as can be: they cost each call more than its timer. */
export class DeadlineTimer {
  readonly #deadline: Deadline;
  readonly #watcher: DeadlineWatcher;
  #timer: ReturnType<typeof setTimeout>;

  constructor(deadline: Deadline, watcher: DeadlineWatcher) {
    this.#deadline = deadline;
    this.#watcher = watcher;
    this.#timer = this.#wait(deadline.remainingMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  #wait(remainingMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#due(), Math.min(Math.max(0, Math.ceil(remainingMs)), maxTimerMs));
  }

  /** The time is up, unless the timer is early, as timers may be a little. */
  #due(): void {
    const { remainingMs } = this.#deadline;
    if (remainingMs <= 0) {
      this.#watcher.deadlinePassed(this.#deadline);
    } else {
      this.#timer = this.#wait(remainingMs);
    }
  }
}

/** Writes a timeout as gRPC does: `500m`. A time that is over becomes the shortest there is. */
export function formatTimeout(milliseconds: number): string {
  for (const unit of writtenUnits) {
    const count = Math.max(1, Math.ceil(milliseconds / (units.get(unit) as number)));
    if (count < maxTimeoutCount) {
      return count + unit;
    }
  }
  return `${maxTimeoutCount - 1}H`;
}

/** Reads a timeout as gRPC writes it, in milliseconds. Returns undefined for anything else. */
export function parseTimeout(text: string): number | undefined {
  const digits = text.length - 1;
  const size = units.get(text.charAt(digits));
  if (size === undefined || digits < 1 || digits > maxTimeoutDigits) {
    return undefined;
  }
  let count = 0;
  for (let at = 0; at < digits; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) {
      return undefined;
    }
    count = 10 * count + digit;
  }
  return count * size;
}
