// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Session } from "../session/session.js";

/**
 * IdleSessions tells of sessions that were not used for a time. It has one
 * timer for all of them, which does not keep a process alive.
 */
export class IdleSessions {
  readonly #timeoutMs: number;
  readonly #expired: (session: Session) => void;
  readonly #since = new Map<Session, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, expired: (session: Session) => void) {
    this.#timeoutMs = timeoutMs;
    this.#expired = expired;
  }

  /** A session is not used from now on. */
  add(session: Session): void {
    this.#since.delete(session);
    this.#since.set(session, Date.now());
    this.#start(this.#timeoutMs);
  }

  /** A session is used again. */
  use(session: Session): void {
    // The timer stays: most calls are over long before it ends.
    this.#since.delete(session);
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.#since.delete(session);
    if (this.#since.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #start(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#check(), delayMs);
    // Only some platforms have timers that can keep a process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #check(): void {
    this.#timer = undefined;
    const now = Date.now();
    for (const [session, since] of this.#since) {
      const leftMs = since + this.#timeoutMs - now;
      if (leftMs > 0) {
        // They are in the order in which they will expire.
        this.#start(leftMs);
        return;
      }
      this.#since.delete(session);
      this.#expired(session);
    }
  }
}
