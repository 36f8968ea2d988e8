// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { connectNodeAdapter, createConnectTransport } from "@connectrpc/connect-node";
import { credentials } from "@grpc/grpc-js";
import { addDrpcService, fromConnectTransport } from "@ts-drpc/connect";
import type { DrpcError, Transport } from "@ts-drpc/core";
import { createGrpcTransport } from "@ts-drpc/grpc";
import { createConnectionListener, type SharePortOptions, sharePort } from "@ts-drpc/node";
import { certificates, gopeer, gopeerMessages } from "@ts-drpc-internal/fixtures";
import { EchoHandler } from "./echo-handler.js";
import { certificateFile, type Harness } from "./harness.js";
import { callAtOnce, goCall } from "./load-scenarios.js";
import type { Scenario } from "./scenario.js";

/** One port of ours for DRPC, gRPC and Connect, with a client of each at once, among them Go's by drpcmigrate. */
export const sharedPortScenarios: readonly Scenario[] = [
  {
    name: "one port for DRPC, gRPC and Connect, called by clients of all three at once",
    async serving(harness) {
      const port = await sharedPort(harness, {});
      const url = `http://127.0.0.1:${port}`;
      await callByAll(harness, port, [], {}, [
        createGrpcTransport({ address: `127.0.0.1:${port}`, credentials: credentials.createInsecure() }),
        fromConnectTransport(createConnectTransport({ baseUrl: url, httpVersion: "2" })),
        fromConnectTransport(createConnectTransport({ baseUrl: url, httpVersion: "1.1" })),
      ]);
    },
  },
  {
    name: "one port for DRPC, gRPC and Connect, with TLS",
    async serving(harness) {
      const { authority: ca, server } = certificates;
      const port = await sharedPort(harness, { tls: { key: server.key, cert: server.cert } });
      const url = `https://localhost:${port}`;
      await callByAll(harness, port, ["-ca", certificateFile("authority.pem")], { host: "localhost", tls: { ca } }, [
        createGrpcTransport({ address: `localhost:${port}`, credentials: credentials.createSsl(Buffer.from(ca)) }),
        fromConnectTransport(createConnectTransport({ baseUrl: url, httpVersion: "2", nodeOptions: { ca } })),
        fromConnectTransport(createConnectTransport({ baseUrl: url, httpVersion: "1.1", nodeOptions: { ca } })),
      ]);
    },
  },
];

async function sharedPort(harness: Harness, options: Pick<SharePortOptions, "tls">): Promise<number> {
  const handler = new EchoHandler();
  const errorFormat = harness.statusErrors ? "grpc-status" : "drpc";
  const drpc = createConnectionListener({ routes: (router) => gopeer.registerEcho(router, handler), errorFormat });
  const answer = connectNodeAdapter({ routes: (router) => addDrpcService(router, gopeerMessages.Echo, handler) });
  const errors: DrpcError[] = [];
  const accept = sharePort({
    drpc: drpc.accept,
    http1: http.createServer(answer),
    http2: http2.createServer(answer),
    onConnectionError: (error) => errors.push(error),
    ...options,
  });
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  harness.after(async () => {
    await drpc.close({ drainMs: 0 });
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    await once(server, "close");
    assert.deepEqual(errors.map(String), []);
  });
  return (server.address() as net.AddressInfo).port;
}

async function callByAll(
  harness: Harness,
  port: number,
  goArguments: readonly string[],
  ours: { host?: string; tls?: object },
  [grpc, http2Connect, http1Connect]: readonly [Transport, Transport, Transport],
): Promise<void> {
  const transports = [grpc, http2Connect, http1Connect];
  for (const transport of transports) {
    harness.after(() => transport.close());
  }
  const go = harness.goClient({ port }, "-header", ...goArguments);
  const drpc = harness.client({ port }, { migrateHeader: true, peer: "auto", ...ours });
  await Promise.all([
    callAtOnce(drpc, 40),
    callAtOnce(gopeer.createEchoClient(grpc), 40),
    callAtOnce(gopeer.createEchoClient(http2Connect), 40),
    // HTTP/1.1 has no streams in both directions.
    ...Array.from({ length: 20 }, async () => {
      assert.equal((await gopeer.createEchoClient(http1Connect).unary({ text: "http/1.1" })).text, "http/1.1");
    }),
    ...Array.from({ length: 40 }, (_, index) => goCall(go, index)),
  ]);
}
