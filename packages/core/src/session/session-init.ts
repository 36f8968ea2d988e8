// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection } from "../vocabulary/connection.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import type { ErrorFormat } from "../wire/error-payload.js";
import type { Settings } from "../wire/settings-payload.js";
import type { Invoke } from "./invoke-intake.js";
import type { FlowControlOptions, SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";

/** What a session tells the layer above. */
export interface SessionListener {
  /** A server's peer opened a call. The listener opens the stream with `session.openAccepted`. */
  invoked?(invoke: Invoke): void;

  /** The peer turned out to be a ts-drpc peer, or, for undefined, answered a call without saying so. */
  peerKnown?(settings: Settings | undefined): void;

  /** The peer takes no more calls. Those that it accepted go on. */
  draining?(): void;

  /** A stream ended, so that another call may find room. */
  streamEnded?(stream: Stream): void;

  /** The session ended. The error says why, and is missing if either side closed it with nothing under way. */
  ended?(error: DrpcError | undefined): void;
}

/** How to make a {@link Session}. */
export interface SessionInit {
  readonly role: "client" | "server";
  readonly connection: Connection;
  readonly limits: SessionLimits;
  readonly listener: SessionListener;

  /** True for a client that announces itself as a ts-drpc peer. */
  readonly announces: boolean;

  /** The compressions that a server takes, as a set of bits, for its settings. Defaults to none. */
  readonly compressions?: number | undefined;

  /** How errors are sent. Defaults to `drpc`. */
  readonly errorFormat?: ErrorFormat | undefined;

  /** The flow control of the fork, for a peer that has it. Such a peer is no ts-drpc peer, so nothing is announced. */
  readonly flowControl?: FlowControlOptions | undefined;

  /** How long there may be no call before the session ends, in milliseconds. Defaults to no limit. */
  readonly idleTimeoutMs?: number | undefined;
}
