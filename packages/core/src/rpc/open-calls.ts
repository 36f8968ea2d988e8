// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";
import { transportClosed } from "./unreachable.js";

/** Ends a call because of something on this side. */
export type EndCall = (error: DrpcError) => void;

/** The calls of a transport that are under way. */
export class OpenCalls {
  readonly #calls = new Set<EndCall>();
  #closed: DrpcError | undefined;
  #drained: (() => void)[] = [];

  /** Says why no call can be made any more, or undefined if one can. */
  get refusal(): DrpcError | undefined {
    return this.#closed;
  }

  /** A call begins. */
  add(end: EndCall): void {
    this.#calls.add(end);
  }

  /** A call is over. */
  delete(end: EndCall): void {
    this.#calls.delete(end);
    if (this.#calls.size === 0) {
      for (const resolve of this.#drained.splice(0)) {
        resolve();
      }
    }
  }

  /** Takes no more calls, and resolves when all are over. Those left after `drainMs` milliseconds are ended. */
  async close(drainMs: number): Promise<void> {
    this.#closed ??= transportClosed(true);
    if (this.#calls.size === 0) {
      return;
    }
    const timer = setTimeout(() => this.#endAll(), drainMs);
    await new Promise<void>((resolve) => this.#drained.push(resolve));
    clearTimeout(timer);
  }

  #endAll(): void {
    for (const end of [...this.#calls]) {
      end(transportClosed(false));
    }
  }
}
