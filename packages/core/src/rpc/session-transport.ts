// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { resolveSessionOptions, type SessionOptions, wholeNumber } from "../session/session-options.js";
import type { CallOptions } from "../vocabulary/call-options.js";
import type { Connection } from "../vocabulary/connection.js";
import { ContextValues } from "../vocabulary/context-values.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import { Metadata } from "../vocabulary/metadata.js";
import type { CompressionOffer } from "./call-compression.js";
import type { ClientCallInit } from "./client-call.js";
import { checkCompression } from "./compression-set.js";
import { Deadline } from "./deadline.js";
import { type InterceptedCallInit, interceptStream, interceptUnary } from "./intercepted-call.js";
import {
  applyInterceptors,
  type CallHandler,
  checkInterceptors,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "./interceptor.js";
import { methodOf } from "./method.js";
import { type PeerKind, SessionPool } from "./session-pool.js";
import { callStream } from "./stream-call.js";
import type { StreamingMethod, Transport, TransportCloseOptions, UnaryMethod } from "./transport.js";
import { callUnary, unencodableRequest } from "./unary-call.js";

/** Options of a transport over connections that it dials. */
export interface SessionTransportOptions extends SessionOptions {
  /** Wraps every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /** How long calls that set no `timeoutMs` of their own may take, in milliseconds. Defaults to no limit. */
  readonly defaultTimeoutMs?: number | undefined;

  /**
   * What kind of peer is called: `multiplexed` says that it takes many calls
   * at once on a connection, as CockroachDB's DRPC and ts-drpc do;
   * `sequential`, that it takes one at a time, as storj.io/drpc does. `auto`
   * finds out. Defaults to `auto`.
   */
  readonly peer?: PeerKind | undefined;

  /** How many connections there may be at once. Only peers that take one call at a time need more than one. Defaults to 8. */
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
   * Compresses the messages of calls, in both directions, with a compression
   * such as those of `@ts-drpc/compression`.
   *
   * With `peer: "auto"` it is used towards servers of ts-drpc that have it
   * among their `compressions`, from the second call of a connection on. With
   * `multiplexed` it is used in every call, as CockroachDB's servers do not
   * say what they know. `sequential` peers know none, and it is a RangeError.
   *
   * `maxMessageBytes` holds for a message as it is and as it is sent. Defaults
   * to no compression.
   */
  readonly compression?: MessageCompression | undefined;
}

// A ts-drpc peer answers at once, so this is a matter of the way there and back.
const answerTimeoutMs = 100;

/**
 * Creates a transport over connections from `dial`, which is asked for one
 * when there is none, and again when it was lost. `dial` rejects with a
 * DrpcError if there is none to be had.
 *
 * Throws a RangeError that names the option if one has a wrong value.
 */
export function createSessionTransport(
  dial: () => Promise<Connection>,
  options: SessionTransportOptions = {},
): Transport {
  return new SessionTransport(dial, options);
}

class SessionTransport implements Transport {
  readonly #pool: SessionPool;
  readonly #intercepted: CallHandler | undefined;
  readonly #defaultTimeoutMs: number | undefined;
  readonly #compression: CompressionOffer | undefined;

  constructor(dial: () => Promise<Connection>, options: SessionTransportOptions) {
    const { interceptors = [], defaultTimeoutMs, peer = "auto", maxConnections = 8, idleTimeoutMs = 60_000 } = options;
    this.#pool = new SessionPool({
      dial,
      limits: resolveSessionOptions(options),
      peer: peerKind(peer),
      maxConnections: wholeNumber("maxConnections", maxConnections),
      answerTimeoutMs,
      migrateHeader: options.migrateHeader ?? false,
      idleTimeoutMs: wholeNumber("idleTimeoutMs", idleTimeoutMs),
    });
    this.#intercepted =
      checkInterceptors(interceptors).length === 0
        ? undefined
        : applyInterceptors(interceptors, (request) => this.#innermost(request));
    this.#compression = compressionOffer(options.compression, peer);
    this.#defaultTimeoutMs =
      defaultTimeoutMs === undefined ? undefined : wholeNumber("defaultTimeoutMs", defaultTimeoutMs);
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<UnaryResponse<O>> {
    const response =
      this.#intercepted === undefined
        ? await this.#unary(this.#clientCall(method, options), request)
        : await interceptUnary(this.#intercepted, this.#interceptedCall(method, options), request);
    return response as UnaryResponse<O>;
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: StreamingMethod<I, O>,
    requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
    options: CallOptions = {},
  ): Promise<StreamResponse<O>> {
    const response =
      this.#intercepted === undefined
        ? this.#stream(this.#clientCall(method, options), requests)
        : await interceptStream(this.#intercepted, this.#interceptedCall(method, options), requests);
    return response as StreamResponse<O>;
  }

  async close({ drainMs = 10_000 }: TransportCloseOptions = {}): Promise<void> {
    await this.#pool.close(drainMs === 0 ? 0 : wholeNumber("drainMs", drainMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #innermost(request: UnaryRequest | StreamRequest): Promise<UnaryResponse | StreamResponse> {
    const { metadata, signal, deadline } = request;
    const { onHeader, onTrailer } = request;
    const call = {
      method: methodOf(request.method),
      metadata,
      signal,
      deadline,
      onHeader,
      onTrailer,
      compression: this.#compression,
    };
    return request.stream ? this.#stream(call, request.messages) : this.#unary(call, request.message);
  }

  async #unary(call: ClientCallInit, request: MessageInitShape<DescMessage>): Promise<UnaryResponse> {
    const { path, input } = call.method;
    let body: Uint8Array;
    try {
      body = input.encode(request);
    } catch (reason) {
      throw unencodableRequest(path, reason, true);
    }
    return { stream: false, message: await callUnary(this.#pool, call, body) };
  }

  #stream(
    call: ClientCallInit,
    requests: AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>,
  ): StreamResponse {
    return { stream: true, messages: callStream(this.#pool, call, requests) };
  }

  #clientCall(method: DescMethod, options: CallOptions): ClientCallInit {
    return {
      method: methodOf(method),
      metadata: options.metadata === undefined ? undefined : asMetadata(options.metadata),
      signal: checkSignal(options.signal),
      deadline: this.#deadline(options.timeoutMs),
      onHeader: options.onHeader,
      onTrailer: options.onTrailer,
      compression: this.#compression,
    };
  }

  #interceptedCall(method: DescMethod, options: CallOptions): InterceptedCallInit {
    return {
      method,
      // An interceptor may change it, and the caller's own stays as it is.
      metadata: new Metadata(options.metadata),
      contextValues: options.contextValues ?? new ContextValues(),
      signal: checkSignal(options.signal),
      deadline: this.#deadline(options.timeoutMs),
      onHeader: options.onHeader,
      onTrailer: options.onTrailer,
    };
  }

  #deadline(timeoutMs: number | undefined = this.#defaultTimeoutMs): Deadline | undefined {
    if (timeoutMs === undefined) {
      return undefined;
    }
    if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs)) {
      throw new RangeError(`timeoutMs must be a number of milliseconds, got ${String(timeoutMs)}`);
    }
    return timeoutMs === Number.POSITIVE_INFINITY ? undefined : new Deadline(timeoutMs);
  }
}

function asMetadata(init: NonNullable<CallOptions["metadata"]>): Metadata {
  return init instanceof Metadata ? init : new Metadata(init);
}

function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError(`signal must be an AbortSignal, got ${String(signal)}`);
  }
  return signal;
}

function peerKind(peer: PeerKind): PeerKind {
  if (peer !== "auto" && peer !== "multiplexed" && peer !== "sequential") {
    throw new RangeError(`peer must be "auto", "multiplexed" or "sequential", got ${JSON.stringify(peer)}`);
  }
  return peer;
}

/** Returns what the options `compression` and `peer` say together. */
function compressionOffer(compression: MessageCompression | undefined, peer: PeerKind): CompressionOffer | undefined {
  if (compression === undefined) {
    return undefined;
  }
  const { name } = checkCompression("compression", compression);
  if (peer === "sequential") {
    throw new RangeError(
      `compression must not be set with peer: "sequential", got ${name}: such a peer takes compressed bytes for a message`,
    );
  }
  return { compression, assumed: peer === "multiplexed" };
}
