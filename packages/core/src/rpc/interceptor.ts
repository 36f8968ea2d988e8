// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import type { PeerInfo } from "../vocabulary/connection.js";
import type { ContextValues } from "../vocabulary/context-values.js";
import type { Metadata } from "../vocabulary/metadata.js";
import { show } from "../vocabulary/option-values.js";
import type { RetryOptions } from "../vocabulary/retry-options.js";
import type { Deadline } from "./deadline.js";

/** What the requests of all kinds of RPC have. */
export interface RequestHead {
  readonly service: DescService;
  readonly method: DescMethod;

  /** The metadata of the call. An interceptor may change it before it calls `next`. */
  readonly metadata: Metadata;

  /** Typed values that do not travel, for the interceptors further in and, on a server, the handler. */
  readonly contextValues: ContextValues;

  /** Aborts when the call is canceled or its deadline passes. */
  readonly signal: AbortSignal;

  /** When the call must be over. */
  readonly deadline: Deadline | undefined;

  /** On a client, whether the call waits for a connection. See `CallOptions`. */
  readonly waitForReady?: boolean | undefined;

  /** On a client, whether and how the call is made again. Defaults to the transport's `retry`. */
  readonly retry?: RetryOptions | undefined;

  /** On a server, who calls. */
  readonly peer?: PeerInfo | undefined;

  /** On a server, metadata for the caller, sent ahead of the first response. */
  readonly responseHeader?: Metadata | undefined;

  /** On a server, metadata for the caller, sent behind the last response or ahead of the error. */
  readonly responseTrailer?: Metadata | undefined;

  /** On a client, is told of the server's metadata ahead of the responses, if there is any. */
  readonly onHeader?: ((header: Metadata) => void) | undefined;

  /** On a client, is told of the server's metadata behind the responses, if there is any. */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined;
}

/** A request with one message, to be answered with one. */
export interface UnaryRequest<I extends DescMessage = DescMessage> extends RequestHead {
  readonly stream: false;
  readonly message: MessageShape<I>;
}

/** A request of any kind of streaming RPC. One with a single message has an iterable of one. */
export interface StreamRequest<I extends DescMessage = DescMessage> extends RequestHead {
  readonly stream: true;
  readonly messages: AsyncIterable<MessageShape<I>>;
}

/** The answer to a {@link UnaryRequest}. */
export interface UnaryResponse<O extends DescMessage = DescMessage> {
  readonly stream: false;
  readonly message: MessageShape<O>;
}

/** The answer to a {@link StreamRequest}. One with a single message is an iterable of one. */
export interface StreamResponse<O extends DescMessage = DescMessage> {
  readonly stream: true;
  readonly messages: AsyncIterable<MessageShape<O>>;
}

/** What an interceptor wraps: the rest of the way of a call. */
export type CallHandler = (request: UnaryRequest | StreamRequest) => Promise<UnaryResponse | StreamResponse>;

/**
 * An interceptor wraps calls, of all kinds, on a client or on a server. It can
 * look at the request and change it, answer it without calling `next`, call
 * `next` again, look at the response or replace it, and handle errors.
 *
 * The first of several is the outermost: it sees a request first and its
 * response last.
 *
 * @example
 * const timing: Interceptor = (next) => async (request) => {
 *   const start = performance.now();
 *   try {
 *     return await next(request);
 *   } finally {
 *     console.log(request.method.name, performance.now() - start);
 *   }
 * };
 */
export type Interceptor = (next: CallHandler) => CallHandler;

/** Returns the option `interceptors` if it is a list of functions. Throws a TypeError that says what is wrong if not. */
export function checkInterceptors(interceptors: readonly Interceptor[]): readonly Interceptor[] {
  if (!Array.isArray(interceptors) || interceptors.some((each) => typeof each !== "function")) {
    const wrong = Array.isArray(interceptors) ? interceptors.find((each) => typeof each !== "function") : interceptors;
    throw new TypeError(`interceptors must be an array of functions, got ${show(wrong)}`);
  }
  return interceptors;
}

/** Wraps a call handler into interceptors. */
export function applyInterceptors(interceptors: readonly Interceptor[], innermost: CallHandler): CallHandler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}
