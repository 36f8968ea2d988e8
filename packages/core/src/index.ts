// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// For users.
export type { ChannelOptions } from "./rpc/channel.js";
export { type Client, type ClientMethod, createClient } from "./rpc/client.js";
export type { Deadline } from "./rpc/deadline.js";
export type { Gate } from "./rpc/gate.js";
export type { Handler, HandlerContext, HandlerMethod } from "./rpc/handler.js";
export type {
  CallHandler,
  Interceptor,
  RequestHead,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "./rpc/interceptor.js";
export type { PeerKind } from "./rpc/pooled-sessions.js";
export { PushStream } from "./rpc/push-stream.js";
export { createRouter, type Router } from "./rpc/router.js";
export {
  type CloseReport,
  checkServeOptions,
  type ServedConnection,
  type ServeOptions,
  serveConnection,
} from "./rpc/serve-connection.js";
export {
  createSessionTransport,
  type SessionTransport,
  type SessionTransportOptions,
} from "./rpc/session-transport.js";
export type { Dial, Target, TargetResolver } from "./rpc/target.js";
export type { StreamingMethod, Transport, TransportCloseOptions, UnaryMethod } from "./rpc/transport.js";
export type { ConnectivityState, TransportState } from "./rpc/transport-state.js";
export type { FlowControlOptions, SessionOptions } from "./session/session-options.js";
export type { CallOptions } from "./vocabulary/call-options.js";
export { Code, codeName } from "./vocabulary/code.js";
export type { Connection, ConnectionReceiver, PeerInfo } from "./vocabulary/connection.js";
export { type ContextKey, ContextValues, createContextKey } from "./vocabulary/context-values.js";
export { DrpcError, type DrpcErrorOptions } from "./vocabulary/drpc-error.js";
export type { ErrorDetail, IncomingErrorDetail, OutgoingErrorDetail } from "./vocabulary/error-detail.js";
export type { MessageCompression, MessageCompressionName } from "./vocabulary/message-compression.js";
export { Metadata, type MetadataInit, type MetadataValue } from "./vocabulary/metadata.js";
export type { RetryOptions } from "./vocabulary/retry-options.js";
export type { ErrorFormat } from "./wire/error-payload.js";
export { MigrateHeaderReader, migrateHeader } from "./wire/migrate-header.js";
