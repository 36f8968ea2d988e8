// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";

/**
 * Whether a transport is connected, in the words of gRPC: `idle`, it is not
 * and no call wants it to be; `connecting`; `ready`, it is; `transientFailure`,
 * it could not connect, and tries again after a pause; `shutdown`, it was closed.
 */
export type ConnectivityState = "idle" | "connecting" | "ready" | "transientFailure" | "shutdown";

/** What is known of a transport's connection. */
export interface TransportState {
  readonly connectivity: ConnectivityState;

  /** Where the transport is connected to, or was last. With several at once, one of them. */
  readonly address?: string | undefined;

  /** Why there is no connection, or was none: the last failure. Missing while the transport is ready. */
  readonly error?: DrpcError | undefined;

  /** When the next attempt is made in `transientFailure`, in milliseconds since 1970. */
  readonly retryAt?: number | undefined;
}

/** Holds a state, and tells a listener of each change, in order, in a later microtask. */
export class StateTeller {
  readonly #listener: ((state: TransportState) => void) | undefined;
  #state: TransportState = { connectivity: "idle" };
  #untold: TransportState[] = [];

  constructor(listener: ((state: TransportState) => void) | undefined) {
    this.#listener = listener;
  }

  get state(): TransportState {
    return this.#state;
  }

  /** Sets the state. It is told only if its connectivity differs from before. */
  set(state: TransportState): void {
    const changed = state.connectivity !== this.#state.connectivity;
    this.#state = state;
    if (changed && this.#listener !== undefined) {
      this.#untold.push(state);
      if (this.#untold.length === 1) {
        // The listener may make calls, which must not come in the middle of what changed the state.
        queueMicrotask(() => this.#tell());
      }
    }
  }

  #tell(): void {
    const untold = this.#untold;
    this.#untold = [];
    for (const state of untold) {
      try {
        const returned: unknown = this.#listener?.(state);
        if (returned instanceof Promise) {
          returned.catch(report);
        }
      } catch (reason) {
        report(reason);
      }
    }
  }
}

function report(reason: unknown): void {
  console.error("onStateChange threw:", reason);
}
