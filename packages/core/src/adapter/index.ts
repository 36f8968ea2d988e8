// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What adapters of other protocols are made of. It may change in every version: a package that imports it is released
// together with core.
export { CallMaker, type CallMakerOptions, type CallProtocol } from "../rpc/call-maker.js";
export { CallScope, endedBefore } from "../rpc/call-scope.js";
export type { ClientCallInit } from "../rpc/client-call.js";
export { Deadline } from "../rpc/deadline.js";
export { HandlerCall, type HandlerStream } from "../rpc/handler-call.js";
export { dismiss, MessagePump, type MessageSink } from "../rpc/message-pump.js";
export { decodeEntries, encodeEntries } from "../rpc/metadata-entries.js";
export { type Method, memberName } from "../rpc/method.js";
export { OpenCalls } from "../rpc/open-calls.js";
export { ReceiveQueue } from "../rpc/receive-queue.js";
export { ResponseMetadataTeller } from "../rpc/response-metadata.js";
export {
  handlerFailure,
  type RouteCall,
  type RouteCallHead,
  type RouteOptions,
  RouteServer,
} from "../rpc/route-server.js";
export type { Route, Serve } from "../rpc/router.js";
export { encodeRequests, isIterable } from "../rpc/stream-call.js";
export { encodeRequest, missingResponse, undecodableResponse } from "../rpc/unary-call.js";
export { ofMethod } from "../rpc/unreachable.js";
export { detailsInErrorStatus, statusDetailsKey } from "../session/error-status.js";
export { wholeNumber } from "../session/session-options.js";
export type { StreamReceiver } from "../session/stream-host.js";
export { Kind } from "../wire/kind.js";
export type { MetadataEntries } from "../wire/metadata-payload.js";
export { type ErrorInHeaders, errorInHeaders, excessOfHeaders, maxErrorHeaderBytes, namedCode } from "./headers.js";
