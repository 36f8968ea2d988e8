// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { createRouter } from "@ts-drpc/core";
import { type ContractPair, contractServer, transportContract } from "@ts-drpc-internal/contract";
import { certificates } from "@ts-drpc-internal/fixtures";
import { addGrpcRoutes, createGrpcTransport } from "../src/index.js";
import { listen } from "./harness.js";

// How a server is closed is up to grpc-js, so that is not in reach.
const reach = { server: false, reopen: false, carries: "what gRPC can" } as const;

transportContract("gRPC", reach, () => createPair(ServerCredentials.createInsecure(), credentials.createInsecure()));

transportContract("gRPC and TLS", reach, () => {
  const { key, cert } = certificates.server;
  const ca = Buffer.from(certificates.authority);
  return createPair(
    ServerCredentials.createSsl(ca, [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }]),
    credentials.createSsl(ca),
  );
});

async function createPair(
  serverCredentials: ServerCredentials,
  clientCredentials: ReturnType<typeof credentials.createInsecure>,
): Promise<ContractPair> {
  const { routes, onError } = contractServer();
  const router = createRouter();
  routes(router);
  const server = new Server();
  addGrpcRoutes(server, router, { onError });
  const address = await listen(server, serverCredentials);
  return {
    transport: createGrpcTransport({ address, credentials: clientCredentials }),
    address,
    dispose: async () => server.forceShutdown(),
  };
}
