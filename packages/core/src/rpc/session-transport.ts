// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { wholeNumber } from "../session/session-options.js";
import type { CallOptions } from "../vocabulary/call-options.js";
import { ContextValues } from "../vocabulary/context-values.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import { Metadata } from "../vocabulary/metadata.js";
import type { RetryOptions } from "../vocabulary/retry-options.js";
import type { CompressionOffer } from "./call-compression.js";
import { type ChannelOptions, createChannel } from "./channel.js";
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
import type { PeerKind } from "./pooled-sessions.js";
import { RetryPolicy } from "./retry-policy.js";
import type { SessionSource } from "./session-source.js";
import { callStream } from "./stream-call.js";
import type { Dial, TargetResolver } from "./target.js";
import type { StreamingMethod, Transport, TransportCloseOptions, UnaryMethod } from "./transport.js";
import { StateTeller, type TransportState } from "./transport-state.js";
import { callUnary, unencodableRequest } from "./unary-call.js";

/** Options of a transport over connections that it dials. */
export interface SessionTransportOptions extends ChannelOptions {
  /** Wraps every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /** How long calls that set no `timeoutMs` of their own may take, in milliseconds. Defaults to no limit. */
  readonly defaultTimeoutMs?: number | undefined;

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

  /** Whether and how calls are made again that failed. Defaults to those alone that were not started. */
  readonly retry?: RetryOptions | undefined;

  /** Is told when the transport's state becomes another one. What it throws goes to `console.error`. */
  readonly onStateChange?: ((state: TransportState) => void) | undefined;
}

/** A transport over connections that it makes itself. */
export interface SessionTransport extends Transport {
  /** Whether the transport is connected, and what hinders it. */
  readonly state: TransportState;
}

/**
 * Creates a transport over connections that it makes by `dial`, or to the
 * targets that a resolver finds. It connects when there is a call and no
 * connection, and again when that was lost. `dial` rejects with a DrpcError
 * if there is none to be had.
 *
 * Throws a RangeError or TypeError that names the option if one has a wrong value.
 */
export function createSessionTransport(
  dial: Dial | TargetResolver,
  options: SessionTransportOptions = {},
): SessionTransport {
  return new PooledTransport(dial, options);
}

class PooledTransport implements SessionTransport {
  readonly #source: SessionSource;
  readonly #state: StateTeller;
  readonly #intercepted: CallHandler | undefined;
  readonly #defaultTimeoutMs: number | undefined;
  readonly #compression: CompressionOffer | undefined;
  readonly #retry: RetryPolicy;

  constructor(dial: Dial | TargetResolver, options: SessionTransportOptions) {
    const { interceptors = [], defaultTimeoutMs, onStateChange } = options;
    if (onStateChange !== undefined && typeof onStateChange !== "function") {
      throw new TypeError(`onStateChange must be a function, got ${String(onStateChange)}`);
    }
    this.#state = new StateTeller(onStateChange);
    this.#source = createChannel(dial, options, (state) => this.#state.set(state));
    this.#intercepted =
      checkInterceptors(interceptors).length === 0
        ? undefined
        : applyInterceptors(interceptors, (request) => this.#innermost(request));
    this.#compression = compressionOffer(options.compression, options.peer);
    this.#defaultTimeoutMs =
      defaultTimeoutMs === undefined ? undefined : wholeNumber("defaultTimeoutMs", defaultTimeoutMs);
    this.#retry = new RetryPolicy(options.retry);
  }

  get state(): TransportState {
    return this.#state.state;
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
    await this.#source.close(drainMs === 0 ? 0 : wholeNumber("drainMs", drainMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #innermost(request: UnaryRequest | StreamRequest): Promise<UnaryResponse | StreamResponse> {
    const { metadata, signal, deadline } = request;
    const call = {
      method: methodOf(request.method),
      metadata,
      signal,
      deadline,
      onHeader: request.onHeader,
      onTrailer: request.onTrailer,
      compression: this.#compression,
      waitForReady: request.waitForReady === true,
      retry: this.#retryPolicy(request.retry),
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
    return { stream: false, message: await callUnary(this.#source, call, body) };
  }

  #stream(
    call: ClientCallInit,
    requests: AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>,
  ): StreamResponse {
    return { stream: true, messages: callStream(this.#source, call, requests) };
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
      waitForReady: options.waitForReady === true,
      retry: this.#retryPolicy(options.retry),
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
      waitForReady: options.waitForReady,
      retry: options.retry,
    };
  }

  #retryPolicy(retry: RetryOptions | undefined): RetryPolicy {
    return retry === undefined ? this.#retry : new RetryPolicy(retry);
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

/** Returns what the options `compression` and `peer` say together. */
function compressionOffer(
  compression: MessageCompression | undefined,
  peer: PeerKind | undefined,
): CompressionOffer | undefined {
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
