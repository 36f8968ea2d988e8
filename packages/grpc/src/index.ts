// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { createGrpcClient } from "./grpc-client.js";
export { addGrpcRoutes, addGrpcService, type GrpcServeOptions } from "./grpc-service.js";
export {
  createGrpcTransport,
  type GrpcCallOptions,
  type GrpcTarget,
  type GrpcTransportOptions,
} from "./grpc-transport.js";
export type { MessageLimitOptions } from "./message-limit.js";
