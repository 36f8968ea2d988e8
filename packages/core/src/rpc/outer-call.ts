// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { CallScope, endedBefore, type ScopeOwner } from "./call-scope.js";
import type { Deadline } from "./deadline.js";
import type { EndingSignal, Watcher } from "./ending-signal.js";

/**
 * OuterCall holds a call to its signal and its deadline while interceptors
 * have it, whatever they do, and ends the calls that they make of it.
 *
 * An AbortSignal costs more than all else in a call, so there is none until
 * somebody looks at it.
 */
export class OuterCall implements EndingSignal, ScopeOwner {
  readonly deadline: Deadline | undefined;

  /** The request that the interceptors get. Whoever has it, and no copy, has not replaced its signal. */
  request: object | undefined;

  readonly #path: string;
  readonly #onEnd: (error: DrpcError) => void;
  readonly #scope: CallScope | undefined;
  readonly #watchers: Watcher[] = [];
  #controller: AbortController | undefined;
  #reason: DrpcError | undefined;

  /** `onEnd` is told once, if the signal or the deadline ends the call. Throws a DrpcError if they have already. */
  constructor(
    path: string,
    signal: AbortSignal | undefined,
    deadline: Deadline | undefined,
    onEnd: (error: DrpcError) => void,
  ) {
    this.deadline = deadline;
    this.#path = path;
    this.#onEnd = onEnd;
    const over = endedBefore(path, signal, deadline);
    if (over !== undefined) {
      throw over;
    }
    if (signal !== undefined || deadline !== undefined) {
      this.#scope = new CallScope(path, signal, deadline, this);
    }
  }

  /** The signal or the deadline ends the call. */
  endFromOutside(error: DrpcError): void {
    this.#end(error);
    this.#onEnd(error);
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): DrpcError | undefined {
    return this.#reason;
  }

  /** Aborts when the call is ended, for interceptors that want to know. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) {
        this.#controller.abort(this.#reason);
      }
    }
    return this.#controller.signal;
  }

  watch(watcher: Watcher): void {
    this.#watchers.push(watcher);
  }

  unwatch(watcher: Watcher): void {
    const at = this.#watchers.lastIndexOf(watcher);
    if (at >= 0) {
      this.#watchers.splice(at, 1);
    }
  }

  /** The call is over, and nothing can end it any more. */
  dispose(): void {
    this.#scope?.dispose();
  }

  /** The caller left: calls that interceptors did not end are ended, and whoever looks at the signal is told. */
  leave(): void {
    this.#scope?.dispose();
    this.#end(new DrpcError(`${this.#path}: the caller left before the end`, Code.Canceled));
  }

  #end(reason: DrpcError): void {
    if (this.#reason !== undefined) {
      return;
    }
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const watcher of [...this.#watchers]) {
      // One that ended because another did is not told any more.
      if (this.#watchers.includes(watcher)) {
        watcher.aborted();
      }
    }
  }
}
