// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";
import type { StreamRegistry } from "./stream-registry.js";

/** How a stream stands to the other streams of its session, and to the peer. */
export interface StreamSituation {
  /** True if no other stream is on the connection, and the peer is not known to have windows. */
  readonly alone: boolean;

  /** True if the stream carried the announcement, so that it began before the two sides knew each other. */
  readonly announced: boolean;
}

/** A stream that cannot go on, and why. */
export interface StreamToEnd {
  readonly stream: Stream;
  readonly error: DrpcError;
}

/**
 * ReceiveBudget counts what waits unread on a connection, and says what is to
 * be done when it is too much: for all streams together, or for one.
 */
export class ReceiveBudget {
  readonly #limits: SessionLimits;
  readonly #streams: StreamRegistry<Stream>;
  #bytes = 0;

  constructor(limits: SessionLimits, streams: StreamRegistry<Stream>) {
    this.#limits = limits;
    this.#streams = streams;
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
    const { maxBufferedBytes } = this.#limits;
    if (this.#bytes <= maxBufferedBytes) {
      return undefined;
    }
    const text = `${this.#bytes} bytes wait unread on the connection, the limit maxBufferedBytes is ${maxBufferedBytes}`;
    return new DrpcError(text, Code.ResourceExhausted);
  }

  /** Says what is to be done when something was stored for a stream: nothing, stop reading, or end a stream. */
  check(stream: Stream, situate: (stream: Stream) => StreamSituation): "pause" | StreamToEnd | undefined {
    const exceeded = this.exceeded();
    if (exceeded !== undefined) {
      // The one that holds the most is to blame, not the one for which something happens to arrive.
      const largest = this.#streams
        .all()
        .reduce((most, each) => (each.heldBytes > most.heldBytes ? each : most), stream);
      return { stream: largest, error: new DrpcError(`${largest.path}: ${exceeded.rawMessage}`, exceeded.code) };
    }
    const { windowBytes, maxBufferedBytes, maxMessageBytes } = this.#limits;
    const unread = stream.unreadCost;
    if (unread <= windowBytes) {
      return undefined;
    }
    const { alone, announced } = situate(stream);
    if (alone) {
      // Nobody else is on this connection, so the peer can be made to wait by not reading. One that may
      // turn out to be a ts-drpc peer is read a little further, as its settings come behind what it sent.
      return announced && unread <= maxBufferedBytes >> 1 ? undefined : "pause";
    }
    // The peer may have sent this much on the first stream before it knew of any window.
    const overrun = announced ? maxBufferedBytes : maxMessageBytes;
    if (unread <= windowBytes + overrun) {
      return undefined;
    }
    const text = `${stream.path}: the peer sent ${unread} bytes that were not read yet, the limit windowBytes is ${windowBytes}`;
    return { stream, error: new DrpcError(text, Code.ResourceExhausted) };
  }
}
