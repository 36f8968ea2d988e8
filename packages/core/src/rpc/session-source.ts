// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Session } from "../session/session.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";

/** A call that looks for a session. One of its two functions is called, once. */
export interface Waiter {
  /** True if the call waits while there is no connection to be had, and false if it rather fails. */
  readonly waitForReady: boolean;

  /** There is a session. The call opens its stream before it returns. */
  start(session: Session): void;

  /** There is none. */
  fail(error: DrpcError): void;
}

/** Gives sessions to calls. */
export interface SessionSource {
  /** Finds a session for a call, at once if there is one with room. */
  submit(waiter: Waiter): void;

  /** A call waits no longer. */
  withdraw(waiter: Waiter): void;

  /**
   * Takes no more calls, cancels those made before that have not ended after
   * `drainMs`, and resolves when the connections are closed.
   */
  close(drainMs: number): Promise<void>;
}
