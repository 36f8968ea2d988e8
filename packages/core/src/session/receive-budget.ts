// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { messageOverheadBytes } from "./flow-control.js";
import type { SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";
import type { StreamRegistry } from "./stream-registry.js";

/** How a stream stands to the other streams of its session, and to the peer. */
export interface StreamSituation {
  /**
   * True if no other stream is on the connection, and the peer is not known to
   * have windows, or was not when this stream began.
   */
  readonly alone: boolean;

  /**
   * True if the peer breaks no rule by being far ahead: the stream began
   * before the two sides knew each other, or carried the announcement, or
   * the windows are those of the fork, which do not count empty messages.
   */
  readonly mayBeAhead: boolean;
}

/** How to make a {@link ReceiveBudget}. */
export interface ReceiveBudgetInit {
  readonly role: "client" | "server";
  readonly limits: SessionLimits;
  readonly streams: StreamRegistry<Stream>;
  readonly situate: (stream: Stream) => StreamSituation;

  /** Stops reading from the connection until something was taken. */
  readonly pause: () => void;
}

/**
 * ReceiveBudget counts what waits unread on a connection, and says what is to
 * be done when it is too much: for all streams together, or for one.
 */
export class ReceiveBudget {
  readonly #init: ReceiveBudgetInit;
  #bytes = 0;

  constructor(init: ReceiveBudgetInit) {
    this.#init = init;
  }

  /** How many bytes are held, with what each message costs besides. */
  get bytes(): number {
    return this.#bytes;
  }

  /** More or less is held. */
  add(change: number): void {
    this.#bytes += change;
  }

  /** Says that the connection holds more than it may, or undefined if it does not. */
  exceeded(): DrpcError | undefined {
    const { maxBufferedBytes } = this.#init.limits;
    if (this.#bytes <= maxBufferedBytes) {
      return undefined;
    }
    const text = `${this.#bytes} bytes wait unread on the connection, the limit maxBufferedBytes is ${maxBufferedBytes}: read faster, send less at once, or raise it`;
    return new DrpcError(text, Code.ResourceExhausted);
  }

  /** Something was stored for a stream, and perhaps nobody takes it: stops reading, or ends a stream, if it is too much. */
  check(stream: Stream): void {
    const exceeded = this.exceeded();
    if (exceeded !== undefined) {
      // The one that holds the most is to blame, not the one for which something happens to arrive.
      const largest = this.#init.streams
        .all()
        .reduce((most, each) => (each.heldBytes > most.heldBytes ? each : most), stream);
      largest.fail(new DrpcError(`${largest.path}: ${exceeded.rawMessage}`, exceeded.code));
      return;
    }
    const { role, limits } = this.#init;
    const { windowBytes, maxBufferedBytes, maxMessageBytes } = limits;
    const unread = stream.unreadCost;
    if (unread <= windowBytes) {
      return;
    }
    const { alone, mayBeAhead } = this.#init.situate(stream);
    if (alone) {
      // Nobody else is on this connection, so the peer can be made to wait by not reading. A client that
      // announced itself cannot: its settings come behind what it sent, and so do its other calls.
      if (!mayBeAhead || (role === "client" && unread > maxBufferedBytes >> 1)) {
        this.#init.pause();
      }
      return;
    }
    const overrun = (mayBeAhead ? maxBufferedBytes : maxMessageBytes) + messageOverheadBytes;
    if (unread <= windowBytes + overrun) {
      return;
    }
    const text = `${stream.path}: the peer sent ${unread} bytes that were not read yet, the limit windowBytes is ${windowBytes}: read faster, send less at once, or raise it`;
    stream.fail(new DrpcError(text, Code.ResourceExhausted));
  }
}
