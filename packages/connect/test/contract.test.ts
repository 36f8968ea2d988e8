// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport as ConnectTransport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { createRouter } from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import { type ContractPair, contractServer, transportContract } from "@ts-drpc-internal/contract";
import { addConnectRoutes, addDrpcRoutes, fromConnectTransport, toConnectTransport } from "../src/index.js";
import { listen } from "./harness.js";

// How a server is closed is up to Connect and to HTTP, so that is not in reach.
const reach = { server: false, reopen: false, carries: "what gRPC can" } as const;

type Create = (options: {
  readonly httpVersion: "2";
  readonly baseUrl: string;
  readonly sessionManager: Http2SessionManager;
  readonly acceptCompression: [];
}) => ConnectTransport;

const protocols: { readonly [name: string]: Create } = {
  Connect: createConnectTransport,
  gRPC: createGrpcTransport,
  "gRPC-Web": createGrpcWebTransport,
};

for (const [name, create] of Object.entries(protocols)) {
  transportContract(`a Connect transport that speaks ${name}, to DRPC handlers on a Connect router`, reach, () =>
    createPair(create),
  );
}

async function createPair(create: Create): Promise<ContractPair> {
  const { routes, onError } = contractServer();
  const router = createRouter();
  routes(router);
  const { baseUrl, close } = await listen((connectRouter) => addDrpcRoutes(connectRouter, router, { onError }));
  // The messages that count how much lies unread compress well.
  const sessionManager = new Http2SessionManager(baseUrl);
  return {
    transport: fromConnectTransport(create({ httpVersion: "2", baseUrl, sessionManager, acceptCompression: [] })),
    address: baseUrl,
    async dispose() {
      sessionManager.abort();
      await close();
    },
  };
}

transportContract("Connect over DRPC, with DRPC on either side of Connect", reach, async () => {
  const { routes, onError } = contractServer();
  const inner = createRouter();
  routes(inner);
  const transport = createRouterTransport(
    (router) => addConnectRoutes(router, (connectRouter) => addDrpcRoutes(connectRouter, inner, { onError })),
    { server: { onError } },
  );
  return {
    transport: fromConnectTransport(toConnectTransport(transport)),
    address: "in memory",
    dispose: () => transport.close({ drainMs: 0 }),
  };
});
