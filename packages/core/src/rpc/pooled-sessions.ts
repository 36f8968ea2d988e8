// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Session } from "../session/session.js";
import type { FlowControlOptions, SessionLimits } from "../session/session-options.js";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import type { Connection } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { migrateHeader } from "../wire/migrate-header.js";
import { DoubtfulSessions } from "./doubtful-sessions.js";
import { IdleSessions } from "./idle-sessions.js";

/**
 * What kind of peer a client talks to. A `multiplexed` one takes any number of
 * calls at once on a connection; a `sequential` one, such as storj.io/drpc,
 * takes one at a time. With `auto` a connection finds out by its first call.
 */
export type PeerKind = "auto" | "multiplexed" | "sequential";

type SessionKind = "undecided" | "multiplexed" | "sequential";

/** What holds for all connections of a transport. */
export interface PooledSessionOptions {
  readonly limits: SessionLimits;
  readonly peer: PeerKind;

  /** True if connections begin with the migrate header. */
  readonly migrateHeader: boolean;

  /** The flow control of the fork, for peers that have it. */
  readonly flowControl: FlowControlOptions | undefined;

  /** How long a connection to a sequential peer may be unused before it is closed. */
  readonly idleTimeoutMs: number;
}

/** What the sessions of a pool tell it. */
export interface PooledSessionsListener {
  /** The peer said something for the first time on a connection, or it lived long: it is of use. */
  proved(): void;

  /** A connection was lost soon, before the peer had said anything. */
  useless(connection: Connection, error: DrpcError): void;

  /** It turned out what kind of peer this is. */
  decided(): void;

  /** A call ended, so that another may find room. */
  streamEnded(): void;

  /** A session takes no more calls. */
  gone(error: DrpcError | undefined): void;
}

// A connection that lived this long was of use, also if the peer never had anything to say.
const provingMs = 1_000;

/** The sessions of a pool, what kind of peer each has, and whether it is used again. */
export class PooledSessions {
  readonly #options: PooledSessionOptions;
  readonly #listener: PooledSessionsListener;
  readonly #kinds = new Map<Session, SessionKind>();
  /** Those whose peer takes no more calls, until the last one has ended. */
  readonly #leaving = new Set<Session>();
  /** Those whose peer may hang, and which are closed behind their last call. */
  readonly #retired = new Set<Session>();
  /** Since when there are those on which the peer has said nothing yet. */
  readonly #unproved = new Map<Session, number>();
  readonly #idle: IdleSessions;
  readonly #doubtful = new DoubtfulSessions();
  #lastKind: SessionKind;
  #closing = false;

  constructor(options: PooledSessionOptions, listener: PooledSessionsListener) {
    this.#options = options;
    this.#listener = listener;
    this.#idle = new IdleSessions(options.idleTimeoutMs, (session) => this.#giveUp(session, "it was not used"));
    this.#lastKind = options.peer === "auto" ? "undecided" : options.peer;
  }

  /** How many take calls. */
  get size(): number {
    return this.#kinds.size;
  }

  /** True if there is one that all calls share. */
  get shared(): boolean {
    return [...this.#kinds.values()].includes("multiplexed");
  }

  /** True if the peer takes one call at a time on a connection, as far as is known. */
  get sequential(): boolean {
    return this.#lastKind === "sequential";
  }

  /** How many count as connections that there may not be more of. Those that the peer is about to end do not. */
  get open(): number {
    return this.#kinds.size + this.#retired.size;
  }

  /** All there are, also those that take no more calls. */
  all(): Session[] {
    return [...this.#kinds.keys(), ...this.#leaving, ...this.#retired];
  }

  /** Why the peer of a connection that still has calls takes no more, if there is one that said so. */
  get goingAway(): DrpcError | undefined {
    for (const session of this.#leaving) {
      return session.draining;
    }
    return undefined;
  }

  /** Closes one whose peer may hang, though there are calls on it, so that there may be another. */
  makeRoom(): void {
    for (const session of this.#retired) {
      this.#giveUp(session, "the peer may hang, and there may be no more than maxConnections");
      return;
    }
  }

  /** Finds one that takes another call, for this call. */
  withRoom(): Session | undefined {
    for (const [session, kind] of this.#kinds) {
      if (!session.takesCalls) {
        continue;
      }
      if (kind === "multiplexed") {
        // A peer that sent no settings, or one that serves nothing, names no limit.
        const maxStreams = session.peerSettings?.maxConcurrentStreams || this.#options.limits.maxConcurrentStreams;
        if (session.streamCount < maxStreams) {
          this.#idle.use(session);
          return session;
        }
      } else if (session.streamCount === 0) {
        this.#idle.use(session);
        return session;
      }
    }
    return undefined;
  }

  /** Runs a session on a new connection. */
  add(connection: Connection): void {
    const { peer, limits, flowControl, migrateHeader: sendsHeader } = this.#options;
    if (sendsHeader) {
      connection.write(migrateHeader);
    }
    const session: Session = new Session({
      role: "client",
      connection,
      limits,
      announces: peer !== "sequential",
      flowControl,
      listener: {
        peerKnown: (settings) => this.#decided(session, settings === undefined ? "sequential" : "multiplexed"),
        draining: () => this.#leave(session),
        streamEnded: (stream) => this.#streamEnded(session, stream),
        ended: () => this.#ended(session, connection),
      },
    });
    this.#kinds.set(session, peer === "auto" ? "undecided" : peer);
    this.#unproved.set(session, performance.now());
  }

  /** Closes each session once its calls have ended. */
  drain(reason: DrpcError): void {
    this.#closing = true;
    for (const session of this.all()) {
      void session.drain(reason).then(() => session.close(reason));
    }
  }

  #decided(session: Session, kind: SessionKind): void {
    this.#prove(session);
    if (this.#options.peer !== "auto" || !this.#kinds.has(session)) {
      return;
    }
    this.#kinds.set(session, kind);
    this.#lastKind = kind;
    this.#listener.decided();
    for (const each of this.#kinds.keys()) {
      this.#giveBack(each);
    }
  }

  #streamEnded(session: Session, stream: Stream): void {
    if (stream.answered) {
      this.#prove(session);
    }
    const kind = this.#kinds.get(session);
    const likely = kind === "undecided" && this.sequential ? "sequential" : kind;
    if (likely !== undefined && !this.#doubtful.usable(session, stream, likely)) {
      this.#kinds.delete(session);
      this.#retired.add(session);
      this.#listener.gone(undefined);
    }
    this.#listener.streamEnded();
    this.#giveBack(session);
  }

  #prove(session: Session): void {
    // Once for each: a peer that is full goes on to answer on the connections that it has.
    if (this.#unproved.delete(session)) {
      this.#listener.proved();
    }
  }

  /** The peer takes no more calls on a connection. Those under way go on. */
  #leave(session: Session): void {
    this.#prove(session);
    if (this.#kinds.delete(session)) {
      this.#idle.forget(session);
      // The session ends itself once its calls have.
      this.#leaving.add(session);
      this.#listener.gone(undefined);
    }
  }

  #ended(session: Session, connection: Connection): void {
    const since = this.#unproved.get(session);
    if (since !== undefined && performance.now() - since < provingMs && !this.#closing) {
      this.#listener.useless(connection, session.ended as DrpcError);
    } else {
      this.#prove(session);
    }
    this.#remove(session);
    this.#listener.gone(session.ended);
  }

  #remove(session: Session): void {
    this.#kinds.delete(session);
    this.#leaving.delete(session);
    this.#retired.delete(session);
    this.#unproved.delete(session);
    this.#idle.forget(session);
  }

  /** Closes an unused connection that is not needed any more, or else sees to it that it is closed some time. */
  #giveBack(session: Session): void {
    if (session.streamCount > 0) {
      return;
    }
    if (this.#retired.has(session)) {
      this.#giveUp(session, "the peer may hang, as it ended a call, or was to end one, before it had read all");
      return;
    }
    if (this.#closing) {
      return;
    }
    const kind = this.#kinds.get(session);
    if (kind === undefined || (kind === "multiplexed" && this.#kinds.size === 1)) {
      return;
    }
    const shared = [...this.#kinds.keys()].find((each) => this.#kinds.get(each) === "multiplexed");
    if (shared !== undefined && shared !== session) {
      this.#giveUp(session, "all calls share another");
    } else if (shared === undefined) {
      this.#idle.add(session);
    }
  }

  /** Closes a connection. What calls are under way on it fail, and mostly there are none. */
  #giveUp(session: Session, why: string): void {
    this.#remove(session);
    const error = new DrpcError(`the connection was closed: ${why}`, Code.Unavailable);
    session.close(error);
    this.#listener.gone(error);
  }
}
