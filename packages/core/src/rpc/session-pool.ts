// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { Attempts } from "./attempts.js";
import type { BackoffInit } from "./backoff.js";
import { type PooledSessionOptions, PooledSessions } from "./pooled-sessions.js";
import type { SessionSource, Waiter } from "./session-source.js";
import type { Dial } from "./target.js";
import type { TransportState } from "./transport-state.js";
import { noneReachable, pauseError, transportClosed } from "./unreachable.js";

/** What all pools of a transport have in common. */
export interface SessionPoolOptions extends PooledSessionOptions {
  /** How many connections there may be at once. Only sequential peers need more than one. */
  readonly maxConnections: number;

  /**
   * How long calls wait at least for the answer that tells whether they can
   * share a connection. They wait longer if it took long to connect.
   */
  readonly answerTimeoutMs: number;

  /** The pauses between attempts to connect that fail, or undefined for none. */
  readonly backoff: BackoffInit | undefined;
}

/** How to make a {@link SessionPool}. */
export interface SessionPoolInit {
  readonly options: SessionPoolOptions;
  readonly dial: Dial;

  /** The state is perhaps another one. */
  readonly stateChanged: (state: TransportState) => void;

  /** A connection was lost soon, before the peer had said anything on it. */
  readonly useless?: ((connection: Connection) => void) | undefined;

  /**
   * Takes back a call that was submitted, when there is no connection left.
   * Left out, calls wait for the next one, or fail if none can be made.
   */
  readonly stranded?: ((waiter: Waiter, error: DrpcError) => void) | undefined;
}

// To connect takes one way there and back or more, and so does the answer, with a slow peer's time on top.
const answerRoundTrips = 3;

/**
 * Gives sessions to calls: the same one to all calls, if the peer multiplexes,
 * or one to each. It dials when there is none, never more often than the
 * waiting calls need, and with pauses between attempts that fail.
 */
export class SessionPool implements SessionSource {
  readonly #init: SessionPoolInit;
  readonly #options: SessionPoolOptions;
  readonly #dials: Attempts<Connection>;
  readonly #sessions: PooledSessions;
  readonly #waiters = new Set<Waiter>();
  #lastAddress: string | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #impatient = false;
  #held = false;
  #serving = false;
  #closed: DrpcError | undefined;
  #draining = false;
  readonly #closing: (() => void)[] = [];

  constructor(init: SessionPoolInit) {
    const { options, dial } = init;
    this.#init = init;
    this.#options = options;
    this.#dials = new Attempts({
      attempt: dial,
      backoff: options.backoff,
      succeeded: (connection) => this.#connected(connection),
      failed: () => this.#dialFailed(),
      resumed: () => this.#resumed(),
    });
    this.#sessions = new PooledSessions(options, {
      proved: () => this.#dials.proved(),
      useless: (connection, error) => {
        init.useless?.(connection);
        this.#dials.failed(error);
      },
      decided: () => {
        this.#stopPatience();
        this.#serve();
      },
      streamEnded: () => this.#serve(),
      gone: (error) => this.#sessionGone(error),
    });
  }

  /** True if there is a connection. */
  get ready(): boolean {
    return this.#sessions.size > 0;
  }

  submit(waiter: Waiter): void {
    if (this.#closed !== undefined) {
      waiter.fail(this.#closed);
      return;
    }
    if (this.#waiters.size === 0 && this.start(waiter)) {
      return;
    }
    if (this.#dials.pausing && this.#disconnected && !waiter.waitForReady) {
      waiter.fail(pauseError(this.#dials.error ?? noneReachable([]), this.#dials.retryAt));
      return;
    }
    this.#waiters.add(waiter);
    this.#serve();
    this.#holdPause();
  }

  /** Starts a call if there is a session with room. Returns false if there is none. */
  start(waiter: Waiter): boolean {
    const session = this.#sessions.withRoom();
    if (session !== undefined) {
      waiter.start(session);
    }
    return session !== undefined;
  }

  /** Connects without a call, if there is no connection, none is being made, and there is no pause. */
  connect(): void {
    if (this.#disconnected && !this.#dials.pausing && this.#closed === undefined) {
      this.#dial();
    }
  }

  /** Says whether a call waits for this pool that was not submitted to it, so that the process must not end. */
  hold(held: boolean): void {
    this.#held = held;
    this.#holdPause();
  }

  withdraw(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) {
      this.#allServed();
    }
  }

  close(drainMs: number): Promise<void> {
    const closed = transportClosed(true);
    this.#closed ??= closed;
    this.#tellState();
    if (this.#disconnected) {
      this.#failWaiters(closed);
    }
    return new Promise((resolve) => {
      const timer =
        drainMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => this.#cancelAll(closed), drainMs);
      this.#closing.push(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#checkClosed();
    });
  }

  #holdPause(): void {
    this.#dials.hold(this.#held || this.#waiters.size > 0);
  }

  /** True if there is neither a connection nor an attempt to make one. */
  get #disconnected(): boolean {
    return this.#sessions.size + this.#dials.underway === 0;
  }

  #cancelAll(reason: DrpcError): void {
    this.#failWaiters(reason);
    for (const session of this.#sessions.all()) {
      session.close(reason);
    }
    this.#checkClosed();
  }

  /** Once closed and with no call waiting, lets the sessions end, and says so when they have. */
  #checkClosed(): void {
    if (this.#closed === undefined || this.#waiters.size > 0) {
      return;
    }
    if (!this.#draining) {
      this.#draining = true;
      this.#dials.close();
      this.#sessions.drain(this.#closed);
    }
    if (this.#sessions.all().length === 0) {
      for (const resolve of this.#closing.splice(0)) {
        resolve();
      }
    }
  }

  /** Gives sessions to the waiting calls, and dials for those that are left. */
  #serve(): void {
    // A call that fails as it starts ends its stream, which brings us here again.
    if (this.#serving) {
      return;
    }
    this.#serving = true;
    for (const waiter of this.#waiters) {
      const session = this.#sessions.withRoom();
      if (session === undefined) {
        this.#dialForWaiters();
        break;
      }
      this.#waiters.delete(waiter);
      waiter.start(session);
    }
    this.#serving = false;
    this.#allServed();
  }

  /** Does what is to be done when no call waits any more, if that is so. */
  #allServed(): void {
    if (this.#waiters.size === 0) {
      this.#stopPatience();
      this.#holdPause();
      this.#checkClosed();
    }
  }

  #dialForWaiters(): void {
    const needed = this.#wantedDials();
    if (needed > 0 && this.#sessions.open + this.#dials.underway >= this.#options.maxConnections) {
      this.#sessions.makeRoom();
    }
    const wanted = Math.min(needed, this.#options.maxConnections - this.#sessions.open - this.#dials.underway);
    for (let count = 0; count < wanted; count++) {
      this.#dial();
    }
  }

  #wantedDials(): number {
    const { underway, lastMs, pausing } = this.#dials;
    if (pausing || this.#sessions.shared) {
      return 0;
    }
    if (this.#sessions.sequential) {
      return this.#waiters.size - underway;
    }
    if (underway > 0) {
      return 0;
    }
    if (this.#sessions.size === 0) {
      return 1;
    }
    // The first call may be a long one whose answer will never come: the others do not wait for its end.
    if (this.#impatient) {
      this.#impatient = false;
      return 1;
    }
    this.#patience ??= setTimeout(
      () => {
        this.#patience = undefined;
        this.#impatient = true;
        this.#serve();
        this.#impatient = false;
      },
      Math.max(this.#options.answerTimeoutMs, answerRoundTrips * lastMs),
    );
    return 0;
  }

  #stopPatience(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #dial(): void {
    this.#dials.make();
    this.#tellState();
  }

  #connected(connection: Connection): void {
    if (this.#closed !== undefined && this.#waiters.size === 0) {
      connection.start({ data() {}, writable() {}, end() {} });
      connection.abort();
    } else {
      this.#lastAddress = connection.peer.address;
      this.#sessions.add(connection);
      this.#tellState();
      this.#serve();
    }
  }

  #dialFailed(): void {
    if (this.#disconnected) {
      this.#strand(alsoGoingAway(this.#sessions.goingAway, this.#dials.error));
      this.#holdPause();
    }
    this.#tellState();
  }

  /** A pause is over. */
  #resumed(): void {
    if (this.#disconnected) {
      this.#dial();
    } else {
      this.#serve();
    }
  }

  /** There is a session less: calls that wait get another, or fail. */
  #sessionGone(error: DrpcError | undefined): void {
    if (this.#disconnected && (this.#dials.pausing || this.#init.stranded !== undefined)) {
      this.#strand(this.#dials.error ?? error);
      this.#holdPause();
    }
    this.#serve();
    this.#tellState();
  }

  /** Takes the waiting calls off the pool, but for those that wait however long it takes. */
  #strand(error = noneReachable([])): void {
    const { stranded } = this.#init;
    const waits = this.#closed === undefined && this.#options.backoff !== undefined;
    // A call that fails may come again, and that one is not meant.
    for (const waiter of [...this.#waiters]) {
      if (stranded !== undefined) {
        this.#waiters.delete(waiter);
        stranded(waiter, error);
      } else if (!waits || !waiter.waitForReady) {
        this.#waiters.delete(waiter);
        waiter.fail(error);
      }
    }
    this.#allServed();
  }

  #failWaiters(error: DrpcError): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.fail(error);
    }
    this.#allServed();
  }

  #tellState(): void {
    const { underway, retryAt, error } = this.#dials;
    const state = { address: this.#lastAddress, error, retryAt };
    if (this.#closed !== undefined) {
      this.#init.stateChanged({ ...state, connectivity: "shutdown" });
    } else if (this.#sessions.size > 0) {
      this.#init.stateChanged({ address: this.#lastAddress, connectivity: "ready" });
    } else if (underway > 0) {
      this.#init.stateChanged({ ...state, connectivity: "connecting" });
    } else {
      const failed = retryAt !== undefined || (error !== undefined && this.#options.backoff === undefined);
      this.#init.stateChanged({ ...state, connectivity: failed ? "transientFailure" : "idle" });
    }
  }
}

/** Says of a failure to connect that the peer that there is takes no more calls, which explains it. */
function alsoGoingAway(goingAway: DrpcError | undefined, error: DrpcError | undefined): DrpcError | undefined {
  return goingAway === undefined || error === undefined
    ? error
    : new DrpcError(`${goingAway.rawMessage}; ${error.rawMessage}`, error.code, { cause: error, notStarted: true });
}
