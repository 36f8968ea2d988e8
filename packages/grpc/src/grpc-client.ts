// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { Client as GrpcClient } from "@grpc/grpc-js";
import { type Client, createClient } from "@ts-drpc/core";
import { createGrpcTransport, type GrpcCallOptions } from "./grpc-transport.js";

/**
 * Creates a client that calls a service through a client of grpc-js, which
 * stays the caller's to close.
 *
 * @example
 * const grpcClient = new grpc.Client("localhost:50051", grpc.credentials.createInsecure());
 * const echo = createGrpcClient(EchoService, grpcClient);
 */
export function createGrpcClient<Service extends DescService>(
  service: Service,
  client: GrpcClient,
  options: GrpcCallOptions = {},
): Client<Service> {
  return createClient(service, createGrpcTransport({ ...options, client }));
}
