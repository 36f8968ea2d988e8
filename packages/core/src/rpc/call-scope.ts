// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { type Deadline, DeadlineTimer, type DeadlineWatcher } from "./deadline.js";
import { type EndingSignal, isEndingSignal, type Watcher } from "./ending-signal.js";

/** What a {@link CallScope} tells that the call is to end. */
export interface ScopeOwner {
  endFromOutside(error: DrpcError): void;
}

/**
 * CallScope watches what can end a call from outside: a signal and a
 * deadline. It tells of the first one, once, and leaves no listener and no
 * timer behind when it is disposed of.
 */
export class CallScope implements Watcher, DeadlineWatcher {
  readonly #path: string;
  readonly #signal: AbortSignal | EndingSignal | undefined;
  readonly #owner: ScopeOwner;
  readonly #timer: DeadlineTimer | undefined;

  constructor(
    path: string,
    signal: AbortSignal | EndingSignal | undefined,
    deadline: Deadline | undefined,
    owner: ScopeOwner,
  ) {
    this.#path = path;
    this.#signal = signal;
    this.#owner = owner;
    if (deadline !== undefined && !seesTo(signal, deadline)) {
      this.#timer = new DeadlineTimer(deadline, this);
    }
    if (signal !== undefined) {
      watch(signal, this);
    }
  }

  /** Stops watching. */
  dispose(): void {
    this.#timer?.cancel();
    if (this.#signal !== undefined) {
      unwatch(this.#signal, this);
    }
  }

  /** The signal has aborted. */
  aborted(): void {
    this.#end(canceledBy(this.#path, this.#signal?.reason));
  }

  deadlinePassed(deadline: Deadline): void {
    this.#end(deadlineError(this.#path, deadline));
  }

  #end(error: DrpcError): void {
    this.dispose();
    this.#owner.endFromOutside(error);
  }
}

/** Tells whether a signal ends calls when a deadline passes. */
function seesTo(signal: AbortSignal | EndingSignal | undefined, deadline: Deadline): boolean {
  return signal !== undefined && isEndingSignal(signal) && signal.deadline === deadline;
}

interface WatchedSignal {
  readonly scopes: Set<CallScope>;
  readonly listener: () => void;
}

// A signal that cancels many calls has one listener for all of them: Node warns of a leak at eleven.
const watchedSignals = new WeakMap<AbortSignal, WatchedSignal>();

function watch(signal: AbortSignal | EndingSignal, scope: CallScope): void {
  if (isEndingSignal(signal)) {
    signal.watch(scope);
    return;
  }
  let watched = watchedSignals.get(signal);
  if (watched === undefined) {
    const scopes = new Set<CallScope>();
    const listener = (): void => {
      for (const each of [...scopes]) {
        // One that ended because another did is not told any more.
        if (scopes.has(each)) {
          each.aborted();
        }
      }
    };
    watched = { scopes, listener };
    watchedSignals.set(signal, watched);
    signal.addEventListener("abort", listener);
  }
  watched.scopes.add(scope);
}

function unwatch(signal: AbortSignal | EndingSignal, scope: CallScope): void {
  if (isEndingSignal(signal)) {
    signal.unwatch(scope);
    return;
  }
  const watched = watchedSignals.get(signal);
  if (watched?.scopes.delete(scope) === true && watched.scopes.size === 0) {
    signal.removeEventListener("abort", watched.listener);
    watchedSignals.delete(signal);
  }
}

/** Returns why a call cannot even begin, or undefined if it can. */
export function endedBefore(
  path: string,
  signal: AbortSignal | EndingSignal | undefined,
  deadline: Deadline | undefined,
): DrpcError | undefined {
  if (signal?.aborted === true) {
    return canceledBy(path, signal.reason, true);
  }
  if (deadline !== undefined && !seesTo(signal, deadline) && deadline.remainingMs <= 0) {
    return deadlineError(path, deadline, true);
  }
  return undefined;
}

function canceledBy(path: string, reason: unknown, notStarted = false): DrpcError {
  const error = DrpcError.from(reason);
  if (error === reason && (error.code === Code.Canceled || error.code === Code.DeadlineExceeded)) {
    return error;
  }
  const code = error.code === Code.DeadlineExceeded ? Code.DeadlineExceeded : Code.Canceled;
  return new DrpcError(`${path}: the call was canceled: ${error.rawMessage}`, code, { cause: reason, notStarted });
}

function deadlineError(path: string, deadline: Deadline, notStarted = false): DrpcError {
  const text = `${path}: the deadline passed, timeoutMs was ${deadline.timeoutMs}`;
  return new DrpcError(text, Code.DeadlineExceeded, { notStarted });
}
