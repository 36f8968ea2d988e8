// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { addDrpcService, fromConnectTransport } from "@ts-drpc/connect";
import { createNodeServer, createNodeTransport } from "@ts-drpc/node";
import {
  createTestServiceClient,
  createUnimplementedServiceClient,
  registerTestService,
} from "./gen/grpc/testing/test_drpc.js";
import {
  addTestServiceToGrpcServer,
  createTestServiceGrpcClient,
  createUnimplementedServiceGrpcClient,
} from "./gen/grpc/testing/test_drpc_grpc.js";
import { TestService } from "./gen/grpc/testing/test_pb.js";
import type { InteropPair } from "./interop-client.js";
import { addPlainService, createPlainClient, createPlainUnimplementedClient } from "./plain-grpc.js";
import { TestHandler } from "./test-handler.js";

/** All combinations, by the names that they have in the table. */
export const pairs: ReadonlyMap<string, () => Promise<InteropPair>> = new Map([
  ["DRPC, both sides", createDrpcPair],
  ["gRPC, ts-drpc calls grpc-js", () => createGrpcPair(addPlainService, ownClients)],
  ["gRPC, grpc-js calls ts-drpc", () => createGrpcPair(addOwnService, plainClients)],
  ["gRPC, ts-drpc both sides", () => createGrpcPair(addOwnService, ownClients)],
  ["gRPC, ts-drpc through Connect calls grpc-js", () => createGrpcPair(addPlainService, connectClients)],
  ["gRPC, grpc-js calls ts-drpc on a Connect router", () => createConnectPair(plainClients)],
]);

async function createDrpcPair(): Promise<InteropPair> {
  const server = createNodeServer({ routes: (router) => registerTestService(router, new TestHandler()) });
  const { port } = await server.listen({ host: "localhost", port: 0 });
  const transport = createNodeTransport({ host: "localhost", port });
  return {
    test: createTestServiceClient(transport),
    unimplemented: createUnimplementedServiceClient(transport),
    close: async () => {
      await transport.close();
      await server.close({ drainMs: 0 });
    },
  };
}

type Clients = Pick<InteropPair, "test" | "unimplemented"> & { close(): void };

async function createGrpcPair(
  addService: (server: grpc.Server) => void,
  createClients: (address: string) => Clients,
): Promise<InteropPair> {
  const server = new grpc.Server();
  addService(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("localhost:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const clients = createClients(`localhost:${port}`);
  return {
    ...clients,
    close: async () => {
      clients.close();
      server.forceShutdown();
    },
  };
}

/** Serves the handler on a Connect router, which answers gRPC. */
async function createConnectPair(createClients: (address: string) => Clients): Promise<InteropPair> {
  const routes = (router: Parameters<typeof addDrpcService>[0]): unknown =>
    addDrpcService(router, TestService, new TestHandler());
  const server = createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.listen(0, "localhost");
  await once(server, "listening");
  const clients = createClients(`localhost:${(server.address() as AddressInfo).port}`);
  return {
    ...clients,
    close: async () => {
      clients.close();
      server.close();
      for (const session of sessions) {
        session.destroy();
      }
      await once(server, "close");
    },
  };
}

function addOwnService(server: grpc.Server): void {
  addTestServiceToGrpcServer(server, new TestHandler());
}

function ownClients(address: string): Clients {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  return {
    test: createTestServiceGrpcClient(client),
    unimplemented: createUnimplementedServiceGrpcClient(client),
    close: () => client.close(),
  };
}

function connectClients(address: string): Clients {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = fromConnectTransport(createGrpcTransport({ baseUrl, sessionManager }));
  return {
    test: createTestServiceClient(transport),
    unimplemented: createUnimplementedServiceClient(transport),
    close: () => sessionManager.abort(),
  };
}

function plainClients(address: string): Clients {
  const [test, unimplemented] = [createPlainClient(address), createPlainUnimplementedClient(address)];
  return {
    test: test.client,
    unimplemented: unimplemented.client,
    close: () => {
      test.close();
      unimplemented.close();
    },
  };
}
