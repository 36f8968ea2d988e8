// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { TestContext } from "node:test";
import { credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import type { Transport } from "@ts-drpc/core";
import {
  createEchoServiceClient,
  EchoHandler,
  EchoService,
  type EchoServiceClient,
  type EchoServiceHandler,
} from "@ts-drpc-internal/fixtures";
import { addGrpcService, createGrpcTransport, type GrpcCallOptions, type GrpcServeOptions } from "../src/index.js";

/** Opens a server on a free port, and resolves with its address. */
export function listen(
  server: Server,
  serverCredentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("localhost:0", serverCredentials, (error, port) => {
      if (error === null) {
        resolve(`localhost:${port}`);
      } else {
        reject(error);
      }
    });
  });
}

/** A server of grpc-js with a handler, and a client that calls it, both gone after the test. */
export interface EchoInUse {
  readonly server: Server;
  readonly address: string;
  readonly transport: Transport;
  readonly echo: EchoServiceClient;
}

/** Opens a server with a handler, and creates a client that calls it. */
export async function useEcho(
  t: TestContext,
  handler: Partial<EchoServiceHandler> = new EchoHandler(),
  options: { readonly server?: GrpcServeOptions; readonly client?: GrpcCallOptions; readonly grpc?: object } = {},
): Promise<EchoInUse> {
  const server = new Server(options.grpc);
  t.after(() => server.forceShutdown());
  addGrpcService(server, EchoService, handler, options.server);
  const address = await listen(server);
  const transport = createGrpcTransport({ address, credentials: credentials.createInsecure(), ...options.client });
  t.after(() => transport.close({ drainMs: 0 }));
  return { server, address, transport, echo: createEchoServiceClient(transport) };
}

/** Collects all that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}
