// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Session } from "../session/session.js";
import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import { Code } from "../vocabulary/code.js";
import type { ContextValues } from "../vocabulary/context-values.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { Metadata } from "../vocabulary/metadata.js";
import { acceptedOffer, CallCompression, type CompressionOffer } from "./call-compression.js";
import { CallScope, endedBefore, type ScopeOwner } from "./call-scope.js";
import type { Deadline } from "./deadline.js";
import type { EndingSignal } from "./ending-signal.js";
import { encodeEntries } from "./metadata-entries.js";
import type { Method } from "./method.js";
import type { RetryPolicy } from "./retry-policy.js";
import type { SessionSource, Waiter } from "./session-source.js";
import { asNotStarted, ofMethod } from "./unreachable.js";

/** What a client's call is made of, whatever its kind. */
export interface ClientCallInit {
  readonly method: Method;
  readonly metadata: Metadata | undefined;
  readonly contextValues: ContextValues | undefined;
  readonly signal: AbortSignal | EndingSignal | undefined;
  readonly deadline: Deadline | undefined;

  /** See {@link CallOptions}. */
  readonly onHeader: ((header: Metadata) => void) | undefined;
  readonly onTrailer: ((trailer: Metadata) => void) | undefined;

  /** How messages are compressed, where the protocol leaves that to us. */
  readonly compression: CompressionOffer | undefined;
  readonly waitForReady: boolean;
  readonly retry: RetryPolicy;
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

  /** True if nothing of the call is gone, so that it can be made again from its start. */
  repeatable(): boolean;

  /** The call failed before it had a stream, or was canceled from outside. */
  failed(error: DrpcError): void;
}

/**
 * ClientCall takes a call from its start to its end: it waits for a session,
 * opens a stream on it, cancels it when its signal or its deadline says so,
 * and makes it again if it failed in a way that allows it.
 */
export class ClientCall implements Waiter, ScopeOwner {
  readonly #source: SessionSource;
  readonly #init: ClientCallInit;
  readonly #shape: ClientCallShape;
  #scope: CallScope | undefined;
  #stream: Stream | undefined;
  #over = false;
  #attempts = 0;
  #perhapsStarted = false;
  #exhausted = false;
  /** Why the peer did not start the last attempt. */
  #refusal: DrpcError | undefined;
  #delayMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: SessionSource, init: ClientCallInit, shape: ClientCallShape) {
    this.#source = source;
    this.#init = init;
    this.#shape = shape;
  }

  get waitForReady(): boolean {
    return this.#init.waitForReady;
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
      this.#scope = new CallScope(method.path, signal, deadline, this);
    }
    this.#source.submit(this);
  }

  start(session: Session): void {
    const { method, metadata, signal, deadline } = this.#init;
    // A call may have waited until its deadline, and its timer may be due behind what let it start.
    const over = endedBefore(method.path, signal, deadline);
    if (over !== undefined) {
      this.endFromOutside(over);
      return;
    }
    this.#attempts++;
    this.#refusal = undefined;
    try {
      const compression = this.#compression(session);
      this.#shape.prepare(session, compression);
      const entries = encodeEntries(metadata, deadline, session.peerSettings !== undefined, compression?.name);
      const { methodKind } = method.desc;
      const streamsRequests = methodKind === "client_streaming" || methodKind === "bidi_streaming";
      const call = { path: method.path, pathBytes: method.pathBytes, metadata: entries, streamsRequests };
      this.#stream = session.open(call, (stream) => this.#shape.createReceiver(stream, session));
    } catch (reason) {
      if (session.takesCalls) {
        // It is not the connection's fault, and with another it would be the same.
        this.#end(reason as DrpcError);
      } else {
        this.#failed(reason as DrpcError, true);
      }
      return;
    }
    this.#shape.sendRequest(this.#stream);
  }

  fail(error: DrpcError): void {
    this.#attempts++;
    this.#failed(error, false);
  }

  /**
   * The peer or the connection ended the call's stream with an error. Returns
   * what the caller is told, or undefined if the call is made again, which it
   * is once the stream is through.
   */
  outcome(error: DrpcError): DrpcError | undefined {
    this.#delayMs = this.#retryDelayMs(error, true);
    return this.#delayMs === undefined ? this.#finalError(error) : undefined;
  }

  /** The stream ended: nothing outside can end the call any more, or else it is made again. */
  terminated(): void {
    if (this.#delayMs === undefined || this.#over) {
      this.#scope?.dispose();
      return;
    }
    this.#stream = undefined;
    this.#again(this.#delayMs);
  }

  /** Ends the call because of something on this side, and tells the peer. */
  cancel(error: DrpcError): void {
    this.#over = true;
    this.#scope?.dispose();
    clearTimeout(this.#timer);
    if (this.#stream === undefined) {
      this.#source.withdraw(this);
    } else {
      this.#stream.cancel(error);
    }
  }

  /** An attempt failed before it had a stream. */
  #failed(error: DrpcError, connected: boolean): void {
    const delayMs = this.#retryDelayMs(error, connected);
    if (delayMs === undefined) {
      // That there is no other connection says less than why the one that there was did not do.
      this.#end(connected || error.code === Code.Canceled ? error : (this.#refusal ?? error));
    } else {
      this.#again(delayMs);
    }
  }

  /** The call ends without a stream. */
  #end(error: DrpcError): void {
    this.#scope?.dispose();
    this.#shape.failed(ofMethod(this.#init.method.path, this.#finalError(error)));
  }

  #retryDelayMs(error: DrpcError, connected: boolean): number | undefined {
    const { retry, method } = this.#init;
    if (this.#over || !retry.allows(method.desc, error, connected) || !this.#shape.repeatable()) {
      return undefined;
    }
    if (this.#attempts >= retry.maxAttempts) {
      this.#exhausted = true;
      return undefined;
    }
    this.#perhapsStarted ||= !error.notStarted;
    this.#refusal = connected && error.notStarted ? error : undefined;
    return retry.delayMs(error, connected, this.#attempts);
  }

  /** Returns the error of the last attempt as the error of the call. */
  #finalError(error: DrpcError): DrpcError {
    const notStarted = error.notStarted && !this.#perhapsStarted;
    if (this.#attempts < 2 || (notStarted === error.notStarted && !this.#exhausted)) {
      return error;
    }
    const text = `${error.rawMessage} (attempt ${this.#attempts} of ${this.#init.retry.maxAttempts})`;
    const { wireCode, details } = error;
    return new DrpcError(text, error.code, { cause: error, wireCode, details, notStarted });
  }

  #again(delayMs: number): void {
    this.#delayMs = undefined;
    const submit = (): void => {
      if (!this.#over) {
        this.#source.submit(this);
      }
    };
    if (delayMs === 0) {
      // Whoever told of the failure is in the middle of something.
      queueMicrotask(submit);
    } else {
      this.#timer = setTimeout(submit, delayMs);
    }
  }

  #compression(session: Session): CallCompression | undefined {
    const { compression: offer, method } = this.#init;
    const compression = acceptedOffer(offer, session.peerSettings);
    return compression && new CallCompression(method.path, compression, session);
  }

  /** The signal or the deadline ends the call. */
  endFromOutside(error: DrpcError): void {
    const started = this.#stream !== undefined || this.#perhapsStarted;
    this.#shape.failed(started ? error : asNotStarted(error));
    this.cancel(error);
  }
}
