// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The server under test: starts as the runner asks for on its standard input, over the protocol that its argument names,
// `drpc`, `grpc` or `connect`, tells on its standard output where it listens, and serves until it is killed.

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { createRegistry } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { addDrpcRoutes } from "@ts-drpc/connect";
import { createRouter, type Router } from "@ts-drpc/core";
import { addGrpcRoutes } from "@ts-drpc/grpc";
import { createNodeServer } from "@ts-drpc/node";
import { ConformanceHandler } from "./conformance-handler.js";
import { readMessages, writeMessage } from "./delimited-messages.js";
import { drainRequest } from "./drain-request.js";
import { HTTPVersion } from "./gen/connectrpc/conformance/v1/config_pb.js";
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.js";
import { registerConformanceService } from "./gen/connectrpc/conformance/v1/service_drpc.js";
import { file_connectrpc_conformance_v1_service } from "./gen/connectrpc/conformance/v1/service_pb.js";

const host = "127.0.0.1";
// Handlers answer with what they were asked, several times.
const maxSendMessageBytes = 4 * 1024 * 1024;

const listen = { drpc: listenForDrpc, grpc: listenForGrpc, connect: listenForConnect }[
  process.argv[2] as "drpc" | "grpc" | "connect"
];
for await (const request of readMessages(process.stdin, ServerCompatRequestSchema)) {
  const port = await listen(request);
  const pemCert = request.useTls ? (request.serverCreds?.cert ?? new Uint8Array()) : new Uint8Array();
  writeMessage(process.stdout, ServerCompatResponseSchema, { host, port, pemCert });
  break;
}

function routes(router: Router): void {
  registerConformanceService(router, new ConformanceHandler());
}

async function listenForDrpc(request: ServerCompatRequest): Promise<number> {
  const { useTls, messageReceiveLimit } = request;
  const server = createNodeServer({
    routes,
    ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit, maxSendMessageBytes }),
  });
  const { port } = await server.listen({ host, port: 0, ...(useTls ? { tls: securityOf(request) } : {}) });
  return port;
}

async function listenForGrpc(request: ServerCompatRequest): Promise<number> {
  const { useTls, messageReceiveLimit } = request;
  const server = new Server();
  const router = createRouter();
  routes(router);
  addGrpcRoutes(
    server,
    router,
    messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit, maxSendMessageBytes },
  );
  const { cert, key, ca, requestCert } = securityOf(request);
  const credentials = useTls
    ? ServerCredentials.createSsl(ca ?? null, [{ cert_chain: cert, private_key: key }], requestCert)
    : ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:0`, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

async function listenForConnect(request: ServerCompatRequest): Promise<number> {
  const { useTls, httpVersion, messageReceiveLimit } = request;
  const router = createRouter();
  routes(router);
  const answer = connectNodeAdapter({
    routes: (connectRouter) =>
      addDrpcRoutes(
        connectRouter,
        router,
        messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit, maxSendMessageBytes },
      ),
    // Answers have requests in them, as google.protobuf.Any.
    jsonOptions: { registry: createRegistry(file_connectrpc_conformance_v1_service) },
  });
  const adapter = (
    incoming: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void => {
    drainRequest(incoming);
    answer(incoming as IncomingMessage, response as ServerResponse);
  };
  const tls = securityOf(request);
  const server =
    httpVersion === HTTPVersion.HTTP_VERSION_1
      ? useTls
        ? https.createServer(tls, adapter)
        : http.createServer(adapter)
      : useTls
        ? http2.createSecureServer(tls, adapter)
        : http2.createServer(adapter);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

function securityOf({ serverCreds, clientTlsCert }: ServerCompatRequest): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly requestCert: boolean;
} {
  return {
    cert: Buffer.from(serverCreds?.cert ?? []),
    key: Buffer.from(serverCreds?.key ?? []),
    ...(clientTlsCert.length === 0 ? {} : { ca: Buffer.from(clientTlsCert) }),
    requestCert: clientTlsCert.length > 0,
  };
}
