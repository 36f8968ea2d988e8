// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import {
  checkFlowControl,
  type FlowControlOptions,
  resolveSessionOptions,
  type SessionOptions,
  wholeNumber,
} from "../session/session-options.js";
import { flag, objectWith, oneOf } from "../vocabulary/option-values.js";
import { PickFirst } from "./pick-first.js";
import type { PeerKind } from "./pooled-sessions.js";
import { RoundRobin } from "./round-robin.js";
import { SessionPool, type SessionPoolOptions } from "./session-pool.js";
import type { SessionSource } from "./session-source.js";
import type { Dial, TargetResolver } from "./target.js";
import type { TransportState } from "./transport-state.js";

/** Options of the connections that a transport makes: how many, to where, and when. */
export interface ChannelOptions extends SessionOptions {
  /**
   * What kind of peer is called: `multiplexed` says that it takes many calls
   * at once on a connection, as CockroachDB's DRPC and ts-drpc do;
   * `sequential`, that it takes one at a time, as storj.io/drpc does. `auto`
   * finds out. Defaults to `auto`.
   */
  readonly peer?: PeerKind | undefined;

  /**
   * The flow control of CockroachDB's fork, for servers that have it switched
   * on, with `peer: "multiplexed"`. Defaults to none; between ts-drpc peers there
   * is always flow control.
   */
  readonly flowControl?: FlowControlOptions | undefined;

  /**
   * How many connections there may be at once, to each address. Only peers
   * that take one call at a time need more than one. Defaults to 8.
   */
  readonly maxConnections?: number | undefined;

  /**
   * How long a connection to a peer that takes one call at a time may be
   * unused, in milliseconds, before it is closed. The one connection to a peer
   * that takes many stays open. Defaults to 60,000.
   */
  readonly idleTimeoutMs?: number | undefined;

  /**
   * True if the eight bytes `DRPC!!!1` are to come before anything else on a
   * connection, for servers that share a port among protocols, such as Go's
   * drpcmigrate. They come before the TLS handshake too, where the transport
   * does that itself. Servers of ts-drpc take connections with and without them.
   * Defaults to false.
   */
  readonly migrateHeader?: boolean | undefined;

  /**
   * Which of several addresses calls go to: with `pick-first` all to the first
   * that can be connected to, and to another only when that fails; with
   * `round-robin` in turn to each that is connected. Defaults to `pick-first`.
   */
  readonly loadBalancing?: "pick-first" | "round-robin" | undefined;

  /**
   * False if a transport that failed to connect neither pauses before the next
   * attempt nor makes one without a call. Defaults to true: it pauses longer
   * and longer, up to `maxReconnectMs`, and goes on until it is connected.
   */
  readonly reconnect?: boolean | undefined;

  /**
   * The pause after the first attempt to connect that failed, in milliseconds.
   * Each further one is longer by 1.6, and all differ by up to a fifth, at
   * random. A call that comes in the first pause connects at once. Defaults to 250.
   */
  readonly initialReconnectMs?: number | undefined;

  /** The longest pause between attempts to connect, in milliseconds, give or take a fifth. Defaults to 30,000. */
  readonly maxReconnectMs?: number | undefined;
}

// A ts-drpc peer answers at once, so this is a matter of the way there and back.
const answerTimeoutMs = 100;

/** Creates what gives sessions to the calls of a transport. Throws a RangeError that names an option with a wrong value. */
export function createChannel(
  dial: Dial | TargetResolver,
  options: ChannelOptions,
  stateChanged: (state: TransportState) => void,
): SessionSource {
  if (typeof dial !== "function") {
    objectWith("dial", dial, "a function that connects, or an object with resolve()", "resolve");
  }
  const poolOptions = resolvePoolOptions(options);
  const balancing = oneOf("loadBalancing", options.loadBalancing ?? "pick-first", ["pick-first", "round-robin"]);
  if (typeof dial === "function") {
    return new SessionPool({ options: poolOptions, dial, stateChanged });
  }
  if (balancing === "round-robin") {
    return new RoundRobin({ options: poolOptions, resolver: dial, stateChanged });
  }
  const pickFirst = new PickFirst(dial);
  return new SessionPool({
    options: poolOptions,
    dial: (signal) => pickFirst.dial(signal),
    useless: (connection) => pickFirst.useless(connection),
    stateChanged,
  });
}

function resolvePoolOptions(options: ChannelOptions): SessionPoolOptions {
  const initialMs = wholeNumber("initialReconnectMs", options.initialReconnectMs ?? 250);
  const maxMs = wholeNumber("maxReconnectMs", options.maxReconnectMs ?? 30_000);
  const peers: readonly PeerKind[] = ["auto", "multiplexed", "sequential"];
  const peer = oneOf("peer", options.peer ?? "auto", peers);
  const limits = resolveSessionOptions(options);
  if (options.flowControl !== undefined && peer !== "multiplexed") {
    throw new RangeError(
      `flowControl is for servers that are known to have it, with peer: "multiplexed", got "${peer}"`,
    );
  }
  return {
    limits,
    peer,
    flowControl: checkFlowControl(options.flowControl, limits),
    maxConnections: wholeNumber("maxConnections", options.maxConnections ?? 8),
    answerTimeoutMs,
    migrateHeader: flag("migrateHeader", options.migrateHeader ?? false),
    idleTimeoutMs: wholeNumber("idleTimeoutMs", options.idleTimeoutMs ?? 60_000),
    backoff: flag("reconnect", options.reconnect ?? true) ? { initialMs, maxMs } : undefined,
  };
}
