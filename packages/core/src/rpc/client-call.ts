// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Session } from "../session/session.js";
import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { Metadata } from "../vocabulary/metadata.js";
import { acceptedOffer, CallCompression, type CompressionOffer } from "./call-compression.js";
import { CallScope, endedBefore } from "./call-scope.js";
import type { Deadline } from "./deadline.js";
import { encodeEntries } from "./metadata-entries.js";
import type { Method } from "./method.js";
import type { SessionPool, Waiter } from "./session-pool.js";

/** What a client's call is made of, whatever its kind. */
export interface ClientCallInit {
  readonly method: Method;
  readonly metadata: Metadata | undefined;
  readonly signal: AbortSignal | undefined;
  readonly deadline: Deadline | undefined;

  /** See {@link CallOptions}. */
  readonly onHeader: ((header: Metadata) => void) | undefined;
  readonly onTrailer: ((trailer: Metadata) => void) | undefined;

  readonly compression: CompressionOffer | undefined;
}

/** What the kinds of calls do differently. */
export interface ClientCallShape {
  /**
   * Gets ready to send on this session, compressed if the call is. Throws a
   * DrpcError if the call cannot be made there.
   */
  prepare(session: Session, compression: CallCompression | undefined): void;

  /** Creates what receives the responses. */
  createReceiver(stream: Stream, session: Session): StreamReceiver;

  /** Sends the request, or starts to. */
  sendRequest(stream: Stream): void;

  /** The call failed before it had a stream, or was canceled from outside. */
  failed(error: DrpcError): void;
}

/**
 * ClientCall takes a call from its start to its end: it waits for a session,
 * opens a stream on it, and cancels it when its signal or its deadline says so.
 */
export class ClientCall implements Waiter {
  readonly #pool: SessionPool;
  readonly #init: ClientCallInit;
  readonly #shape: ClientCallShape;
  #scope: CallScope | undefined;
  #stream: Stream | undefined;

  constructor(pool: SessionPool, init: ClientCallInit, shape: ClientCallShape) {
    this.#pool = pool;
    this.#init = init;
    this.#shape = shape;
  }

  /** Begins. A call that is over before it began fails without a trace on the wire. */
  begin(): void {
    const { method, signal, deadline } = this.#init;
    const over = endedBefore(method.path, signal, deadline);
    if (over !== undefined) {
      this.#shape.failed(over);
      return;
    }
    if (signal !== undefined || deadline !== undefined) {
      this.#scope = new CallScope(method.path, signal, deadline, (error) => this.#endFromOutside(error));
    }
    this.#pool.submit(this);
  }

  start(session: Session): void {
    const { method, metadata, deadline } = this.#init;
    try {
      const compression = this.#compression(session);
      this.#shape.prepare(session, compression);
      const entries = encodeEntries(metadata, deadline, session.peerSettings !== undefined, compression?.name);
      const { methodKind } = method.desc;
      const streamsRequests = methodKind === "client_streaming" || methodKind === "bidi_streaming";
      const call = { path: method.path, pathBytes: method.pathBytes, metadata: entries, streamsRequests };
      this.#stream = session.open(call, (stream) => this.#shape.createReceiver(stream, session));
    } catch (reason) {
      this.fail(reason as DrpcError);
      return;
    }
    this.#shape.sendRequest(this.#stream);
  }

  fail(error: DrpcError): void {
    this.terminated();
    this.#shape.failed(error);
  }

  /** The stream ended, so nothing outside can end the call any more. */
  terminated(): void {
    this.#scope?.dispose();
  }

  /** Ends the call because of something on this side, and tells the peer. */
  cancel(error: DrpcError): void {
    this.terminated();
    if (this.#stream === undefined) {
      this.#pool.withdraw(this);
    } else {
      this.#stream.cancel(error);
    }
  }

  #compression(session: Session): CallCompression | undefined {
    const { compression: offer, method } = this.#init;
    const compression = acceptedOffer(offer, session.peerSettings);
    return compression && new CallCompression(method.path, compression, session);
  }

  #endFromOutside(error: DrpcError): void {
    const started = this.#stream !== undefined;
    this.#shape.failed(
      started ? error : new DrpcError(error.rawMessage, error.code, { cause: error.cause, notStarted: true }),
    );
    this.cancel(error);
  }
}
