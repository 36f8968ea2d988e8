// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { PeerInfo } from "../vocabulary/connection.js";
import type { ContextValues } from "../vocabulary/context-values.js";
import type { Metadata } from "../vocabulary/metadata.js";
import type { Deadline } from "./deadline.js";

/** What a handler is told about the call that it serves. */
export interface HandlerContext {
  readonly service: DescService;
  readonly method: DescMethod;

  /** The metadata that the caller sent. */
  readonly metadata: Metadata;

  /**
   * Aborts when the caller canceled the call or closed it early, its deadline
   * passed, or the connection was lost. The reason is a DrpcError that says
   * which. Whatever the handler does from then on is not sent.
   */
  readonly signal: AbortSignal;

  /** When the call must be over, if the caller set a deadline. It is enforced. */
  readonly deadline: Deadline | undefined;

  /** Values that interceptors of the server left for the handler. */
  readonly contextValues: ContextValues;

  /** Who calls. */
  readonly peer: PeerInfo;

  /**
   * Metadata for the caller, sent ahead of the first response. What is set
   * later is not sent. It reaches ts-drpc peers and gRPC; Go's DRPC has no place for it.
   */
  readonly responseHeader: Metadata;

  /** Metadata for the caller, sent behind the last response or ahead of the error. It reaches whom `responseHeader` does. */
  readonly responseTrailer: Metadata;
}

/**
 * An implementation of a service: a function for each method. An object of
 * any class will do; its functions are called on it.
 */
export type Handler<Service extends DescService> = {
  [Name in keyof Service["method"] as Name extends "then" ? "then$" : Name]: HandlerMethod<Service["method"][Name]>;
};

/** The function of a handler for one method. */
export type HandlerMethod<Method> = Method extends {
  readonly methodKind: infer Kind;
  readonly input: infer I extends DescMessage;
  readonly output: infer O extends DescMessage;
}
  ? Kind extends "unary"
    ? (request: MessageShape<I>, context: HandlerContext) => MessageInitShape<O> | Promise<MessageInitShape<O>>
    : Kind extends "server_streaming"
      ? (request: MessageShape<I>, context: HandlerContext) => AsyncIterable<MessageInitShape<O>>
      : Kind extends "client_streaming"
        ? (
            requests: AsyncIterable<MessageShape<I>>,
            context: HandlerContext,
          ) => MessageInitShape<O> | Promise<MessageInitShape<O>>
        : (requests: AsyncIterable<MessageShape<I>>, context: HandlerContext) => AsyncIterable<MessageInitShape<O>>
  : never;
