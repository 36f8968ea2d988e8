// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { wholeNumber } from "../session/session-options.js";
import type { CallOptions } from "../vocabulary/call-options.js";
import { ContextValues } from "../vocabulary/context-values.js";
import { Metadata } from "../vocabulary/metadata.js";
import { flag, object, objectWith, optionalCallable, show } from "../vocabulary/option-values.js";
import type { RetryOptions } from "../vocabulary/retry-options.js";
import type { CompressionOffer } from "./call-compression.js";
import type { ClientCallInit } from "./client-call.js";
import { Deadline } from "./deadline.js";
import { endingSignalOf, type InterceptedCallInit, interceptStream, interceptUnary } from "./intercepted-call.js";
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
import { RetryPolicy } from "./retry-policy.js";
import type { StreamingMethod, UnaryMethod } from "./transport.js";

const noOptions: CallOptions = {};

type Messages<I extends DescMessage> = AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>;

/** What transports do differently: a call, once its options are read and it is through the interceptors. */
export interface CallProtocol {
  /** Makes a call with one request and resolves with the one response. Throws or rejects with a DrpcError. */
  unary(call: ClientCallInit, request: MessageInitShape<DescMessage>): Promise<UnaryResponse>;

  /** Starts a streaming call and returns its responses. Leaving their iteration early cancels the call. */
  stream(call: ClientCallInit, requests: Messages<DescMessage>): StreamResponse["messages"];
}

/** Options of every transport. */
export interface CallMakerOptions {
  /** Wraps every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /** How long calls that set no `timeoutMs` of their own may take, in milliseconds. Defaults to no limit. */
  readonly defaultTimeoutMs?: number | undefined;
}

/** What calls have of their transport, unless they say otherwise. */
export type CallDefaults = Partial<Pick<ClientCallInit, "compression" | "retry">>;

/**
 * CallMaker makes the calls of a transport: it reads their options, takes them
 * through the interceptors, and hands them to the protocol.
 */
export class CallMaker {
  readonly #protocol: CallProtocol;
  readonly #intercepted: CallHandler | undefined;
  readonly #defaultTimeoutMs: number | undefined;
  readonly #compression: CompressionOffer | undefined;
  readonly #retry: RetryPolicy;

  /** Throws a RangeError or a TypeError that names the option if one has a wrong value. */
  constructor(
    protocol: CallProtocol,
    { interceptors = [], defaultTimeoutMs }: CallMakerOptions,
    { compression, retry = new RetryPolicy(undefined) }: CallDefaults = {},
  ) {
    this.#protocol = protocol;
    this.#compression = compression;
    this.#retry = retry;
    this.#intercepted =
      checkInterceptors(interceptors).length === 0
        ? undefined
        : applyInterceptors(interceptors, (request) => this.#innermost(request));
    this.#defaultTimeoutMs =
      defaultTimeoutMs === undefined ? undefined : wholeNumber("defaultTimeoutMs", defaultTimeoutMs);
  }

  /** Makes a call with one request and one response: the function of a {@link Transport}. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = noOptions,
  ): Promise<UnaryResponse<O>> {
    // Not async, here and below: each promise in between costs a call as much as its whole way through the session.
    try {
      const response =
        this.#intercepted === undefined
          ? this.#unary(this.#clientCall(method, options), request)
          : interceptUnary(this.#intercepted, this.#interceptedCall(method, options), request);
      return response as Promise<UnaryResponse<O>>;
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  /** Makes a streaming call: the function of a {@link Transport}. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: StreamingMethod<I, O>,
    requests: Messages<I>,
    options: CallOptions = noOptions,
  ): Promise<StreamResponse<O>> {
    const response =
      this.#intercepted === undefined
        ? this.#stream(this.#clientCall(method, options), requests)
        : await interceptStream(this.#intercepted, this.#interceptedCall(method, options), requests);
    return response as StreamResponse<O>;
  }

  #innermost(request: UnaryRequest | StreamRequest): Promise<UnaryResponse | StreamResponse> {
    try {
      const call = this.#innerCall(request);
      return request.stream
        ? Promise.resolve(this.#stream(call, request.messages))
        : this.#unary(call, request.message);
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  #innerCall(request: UnaryRequest | StreamRequest): ClientCallInit {
    return {
      method: methodOf(request.method),
      metadata: request.metadata,
      contextValues: request.contextValues,
      signal: endingSignalOf(request),
      deadline: request.deadline,
      onHeader: request.onHeader,
      onTrailer: request.onTrailer,
      compression: this.#compression,
      waitForReady: request.waitForReady === true,
      retry: this.#retryPolicy(request.retry),
    };
  }

  #unary(call: ClientCallInit, request: MessageInitShape<DescMessage>): Promise<UnaryResponse> {
    return this.#protocol.unary(call, request);
  }

  #stream(call: ClientCallInit, requests: Messages<DescMessage>): StreamResponse {
    return { stream: true, messages: this.#protocol.stream(call, requests) };
  }

  #clientCall(method: DescMethod, options: CallOptions): ClientCallInit {
    checkOptions(options);
    return {
      method: methodOf(method),
      metadata: options.metadata === undefined ? undefined : asMetadata(options.metadata),
      contextValues: options.contextValues,
      signal: options.signal,
      deadline: this.#deadline(options.timeoutMs),
      onHeader: options.onHeader,
      onTrailer: options.onTrailer,
      compression: this.#compression,
      waitForReady: options.waitForReady === true,
      retry: this.#retryPolicy(options.retry),
    };
  }

  #interceptedCall(method: DescMethod, options: CallOptions): InterceptedCallInit {
    checkOptions(options);
    // What interceptors pass on is looked at again, but then it is their error.
    this.#retryPolicy(options.retry);
    return {
      method,
      // An interceptor may change it, and the caller's own stays as it is.
      metadata: new Metadata(options.metadata),
      contextValues: options.contextValues ?? new ContextValues(),
      signal: options.signal,
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
      throw new RangeError(`timeoutMs must be a number of milliseconds, got ${show(timeoutMs)}`);
    }
    return timeoutMs === Number.POSITIVE_INFINITY ? undefined : new Deadline(timeoutMs);
  }
}

function asMetadata(init: NonNullable<CallOptions["metadata"]>): Metadata {
  return init instanceof Metadata ? init : new Metadata(init);
}

/** Looks at the types of the options that nothing else looks at. */
function checkOptions(options: CallOptions): void {
  if (options === noOptions) {
    return;
  }
  const { signal, waitForReady, onHeader, onTrailer, contextValues } = object("options", options);
  if (signal !== undefined) {
    objectWith("signal", signal, "an AbortSignal", "addEventListener");
  }
  if (waitForReady !== undefined) {
    flag("waitForReady", waitForReady);
  }
  optionalCallable("onHeader", onHeader);
  optionalCallable("onTrailer", onTrailer);
  if (contextValues !== undefined) {
    objectWith("contextValues", contextValues, "a ContextValues", "get", "has", "set");
  }
}
