// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Session } from "../session/session.js";
import type { SessionLimits } from "../session/session-options.js";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import type { Connection } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { migrateHeader } from "../wire/migrate-header.js";
import { IdleSessions } from "./idle-sessions.js";

/**
 * What kind of peer a client talks to. A `multiplexed` one takes any number of
 * calls at once on a connection; a `sequential` one, such as storj.io/drpc,
 * takes one at a time. With `auto` a connection finds out by its first call.
 */
export type PeerKind = "auto" | "multiplexed" | "sequential";

/** How to make a {@link SessionPool}. */
export interface SessionPoolInit {
  readonly dial: () => Promise<Connection>;
  readonly limits: SessionLimits;
  readonly peer: PeerKind;

  /** How many connections there may be at once. Only sequential peers need more than one. */
  readonly maxConnections: number;

  /**
   * How long calls wait at least for the answer that tells whether they can
   * share a connection. They wait longer if it took long to connect.
   */
  readonly answerTimeoutMs: number;

  /** True if connections begin with the migrate header. */
  readonly migrateHeader: boolean;

  /** How long a connection to a sequential peer may be unused before it is closed. */
  readonly idleTimeoutMs: number;
}

/** A call that looks for a session. One of its two functions is called, once. */
export interface Waiter {
  /** There is a session. The call opens its stream before it returns. */
  start(session: Session): void;

  /** There is none, and there will be none. */
  fail(error: DrpcError): void;
}

/** What is known of the peer of a session. One that is `retired` takes no more calls, and is closed behind its last one. */
type SessionKind = "undecided" | "multiplexed" | "sequential" | "retired";

// To connect takes one way there and back or more, and so does the answer, with a slow peer's time on top.
const answerRoundTrips = 3;

// So many messages of a stream CockroachDB's servers keep when they have no flow control. Then they read nothing at all.
const peerQueueMessages = 256;

const mayHang = "the peer may hang, as it ended a call, or was to end one, before it had read all";

/**
 * Gives sessions to calls: the same one to all calls, if the peer multiplexes,
 * or one to each. It dials when there is none, and never more often than the
 * waiting calls need.
 */
export class SessionPool {
  readonly #init: SessionPoolInit;
  readonly #sessions = new Map<Session, SessionKind>();
  readonly #waiters = new Set<Waiter>();
  readonly #idle: IdleSessions;
  readonly #doubtful = new WeakSet<Session>();
  #dialing = 0;
  #dialMs = 0;
  #lastKind: SessionKind = "undecided";
  #patience: ReturnType<typeof setTimeout> | undefined;
  #impatient = false;
  #serving = false;
  #closed: DrpcError | undefined;
  #draining = false;
  readonly #closing: (() => void)[] = [];

  constructor(init: SessionPoolInit) {
    this.#init = init;
    this.#idle = new IdleSessions(init.idleTimeoutMs, (session) => this.#giveUp(session, "it was not used"));
    this.#lastKind = init.peer === "auto" ? "undecided" : init.peer;
  }

  /** Finds a session for a call, at once if there is one with room. */
  submit(waiter: Waiter): void {
    if (this.#closed !== undefined) {
      waiter.fail(this.#closed);
      return;
    }
    const session = this.#waiters.size === 0 ? this.#withRoom() : undefined;
    if (session !== undefined) {
      this.#idle.use(session);
      waiter.start(session);
      return;
    }
    this.#waiters.add(waiter);
    this.#serve();
  }

  /** A call waits no longer. */
  withdraw(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    this.#allServed();
  }

  /**
   * Takes no more calls, cancels those made before that have not ended after
   * `drainMs`, and resolves when the connections are closed.
   */
  close(drainMs: number): Promise<void> {
    const closed = new DrpcError("the transport was closed", Code.Canceled, { notStarted: true });
    this.#closed ??= closed;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#cancelAll(closed), drainMs);
      this.#closing.push(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#checkClosed();
    });
  }

  #cancelAll(reason: DrpcError): void {
    this.#failWaiters(reason);
    for (const session of this.#sessions.keys()) {
      session.close(reason);
    }
    this.#checkClosed();
  }

  /** Once closed and with no call waiting, lets the sessions end, and says so when they have. */
  #checkClosed(): void {
    const closed = this.#closed;
    if (closed === undefined || this.#waiters.size > 0) {
      return;
    }
    if (!this.#draining) {
      this.#draining = true;
      for (const session of this.#sessions.keys()) {
        void session.drain(closed).then(() => session.close(closed));
      }
    }
    if (this.#sessions.size === 0) {
      for (const resolve of this.#closing.splice(0)) {
        resolve();
      }
    }
  }

  #withRoom(): Session | undefined {
    for (const [session, kind] of this.#sessions) {
      if (session.ended !== undefined || kind === "retired") {
        continue;
      }
      if (kind === "multiplexed") {
        // A peer that sent no settings, or one that serves nothing, names no limit.
        const maxStreams = session.peerSettings?.maxConcurrentStreams || this.#init.limits.maxConcurrentStreams;
        if (session.streamCount < maxStreams) {
          return session;
        }
      } else if (session.streamCount === 0) {
        return session;
      }
    }
    return undefined;
  }

  /** Gives sessions to the waiting calls, and dials for those that are left. */
  #serve(): void {
    // A call that fails as it starts ends its stream, which brings us here again.
    if (this.#serving) {
      return;
    }
    this.#serving = true;
    for (const waiter of this.#waiters) {
      const session = this.#withRoom();
      if (session === undefined) {
        this.#dialForWaiters();
        break;
      }
      this.#waiters.delete(waiter);
      this.#idle.use(session);
      waiter.start(session);
    }
    this.#serving = false;
    this.#allServed();
  }

  /** Does what is to be done when no call waits any more, if that is so. */
  #allServed(): void {
    if (this.#waiters.size === 0) {
      this.#stopWaiting();
      this.#checkClosed();
    }
  }

  #dialForWaiters(): void {
    let room = this.#init.maxConnections - this.#sessions.size - this.#dialing;
    const needed = this.#wantedDials();
    const retired = [...this.#sessions.keys()].find((session) => this.#sessions.get(session) === "retired");
    if (needed > 0 && room <= 0 && retired !== undefined) {
      this.#giveUp(retired, "the peer may hang, and there may be no more than maxConnections");
      room++;
    }
    const wanted = Math.min(needed, room);
    for (let count = 0; count < wanted; count++) {
      void this.#dial();
    }
  }

  #wantedDials(): number {
    const kinds = [...this.#sessions.values()];
    if (kinds.includes("multiplexed")) {
      return 0;
    }
    if (this.#lastKind === "sequential") {
      return this.#waiters.size - this.#dialing;
    }
    if (this.#dialing > 0) {
      return 0;
    }
    if (kinds.every((kind) => kind === "retired")) {
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
      Math.max(this.#init.answerTimeoutMs, answerRoundTrips * this.#dialMs),
    );
    return 0;
  }

  async #dial(): Promise<void> {
    this.#dialing++;
    const start = performance.now();
    let connection: Connection;
    try {
      connection = await this.#init.dial();
      this.#dialMs = performance.now() - start;
    } catch (reason) {
      this.#dialing--;
      const error = DrpcError.from(reason, Code.Unavailable);
      if (this.#sessions.size + this.#dialing === 0) {
        this.#failWaiters(
          error.notStarted
            ? error
            : new DrpcError(error.rawMessage, error.code, { cause: error.cause, notStarted: true }),
        );
      }
      return;
    }
    this.#dialing--;
    if (this.#closed !== undefined && this.#waiters.size === 0) {
      connection.start({ data() {}, writable() {}, end() {} });
      connection.abort();
      return;
    }
    this.#add(connection);
    this.#serve();
  }

  #add(connection: Connection): void {
    const { peer, limits } = this.#init;
    if (this.#init.migrateHeader) {
      connection.write(migrateHeader);
    }
    const session: Session = new Session({
      role: "client",
      connection,
      limits,
      announces: peer !== "sequential",
      listener: {
        peerKnown: (settings) => this.#decided(session, settings === undefined ? "sequential" : "multiplexed"),
        streamEnded: (stream) => {
          // A peer with windows reads on whatever its handlers do.
          if (session.flow.peerWindowBytes === undefined) {
            this.#judge(session, stream);
          }
          this.#serve();
          this.#giveBack(session);
        },
        ended: () => {
          this.#sessions.delete(session);
          this.#idle.forget(session);
          this.#serve();
        },
      },
    });
    this.#sessions.set(session, peer === "auto" ? "undecided" : peer);
  }

  #decided(session: Session, kind: SessionKind): void {
    if (this.#init.peer !== "auto" || !this.#sessions.has(session)) {
      return;
    }
    this.#sessions.set(session, kind);
    this.#lastKind = kind;
    this.#stopWaiting();
    this.#serve();
    for (const each of this.#sessions.keys()) {
      this.#giveBack(each);
    }
  }

  /**
   * Decides whether a connection to a peer that takes one call at a time is
   * used again. storj.io/drpc reads nothing more from a connection, for ever,
   * while a message lies there that its handler does not take. After a call
   * whose handler may have returned without having read all, the next call
   * shows it: if that has to be given up without any answer, so is the connection.
   *
   * CockroachDB's servers hang in the same way once their queue of a stream is
   * full. Other calls may be under way then, and have their answers already,
   * or not; they keep the connection, and no others get it.
   */
  #judge(session: Session, stream: Stream): void {
    if (this.#sessions.get(session) === "multiplexed") {
      if (stream.leftovers === "likely" && stream.sentMessages > peerQueueMessages) {
        this.#sessions.set(session, "retired");
      }
      return;
    }
    const unanswered = this.#doubtful.has(session) && !stream.answered;
    this.#doubtful.delete(session);
    const kind = this.#sessions.get(session);
    const sequential = kind === "sequential" || (kind === "undecided" && this.#lastKind === "sequential");
    if ((stream.leftovers === "likely" && sequential) || unanswered) {
      this.#giveUp(session, mayHang);
    } else if (stream.leftovers !== "none") {
      this.#doubtful.add(session);
    }
  }

  /** Closes an unused connection that is not needed any more, or else sees to it that it is closed some time. */
  #giveBack(session: Session): void {
    const kind = this.#sessions.get(session);
    if (kind === "retired" && session.streamCount === 0) {
      this.#giveUp(session, mayHang);
      return;
    }
    const only = kind === "multiplexed" && this.#sessions.size === 1;
    if (kind === undefined || only || session.streamCount > 0 || this.#closed !== undefined) {
      return;
    }
    const shared = [...this.#sessions.keys()].find((each) => this.#sessions.get(each) === "multiplexed");
    if (shared !== undefined && shared !== session) {
      this.#giveUp(session, "all calls share another");
    } else if (shared === undefined) {
      this.#idle.add(session);
    }
  }

  /** Closes a connection. What calls are under way on it fail, and mostly there are none. */
  #giveUp(session: Session, why: string): void {
    this.#sessions.delete(session);
    this.#idle.forget(session);
    session.close(new DrpcError(`the connection was closed: ${why}`, Code.Unavailable));
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #failWaiters(error: DrpcError): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.fail(error);
    }
    this.#allServed();
  }
}
