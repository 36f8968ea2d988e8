// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { ConnectRouter, ConnectRouterOptions, Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";

/** A server of HTTP on a free port. */
export interface Listening {
  readonly baseUrl: string;
  readonly close: () => Promise<void>;
}

/** Serves the routes of Connect over HTTP/1.1. */
export async function listenHttp1(
  routes: (router: ConnectRouter) => void,
  options: ConnectRouterOptions = {},
): Promise<Listening> {
  const server = createHttp1Server(connectNodeAdapter({ ...options, routes }));
  return listening(server, () => server.closeAllConnections());
}

/** Serves the routes of Connect over HTTP/2. */
export async function listen(
  routes: (router: ConnectRouter) => void,
  options: ConnectRouterOptions = {},
): Promise<Listening> {
  const server = createServer(connectNodeAdapter({ ...options, routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  return listening(server, () => {
    for (const session of sessions) {
      session.destroy();
    }
  });
}

async function listening(server: Server, closeConnections: () => void): Promise<Listening> {
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://localhost:${port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      closeConnections();
      await closed;
    },
  };
}

/** A protocol that a Connect router answers, over a version of HTTP. */
export interface HttpWay {
  readonly name: string;
  readonly listen: typeof listen;

  /** Returns a Connect transport that speaks it, and what ends its connections. */
  readonly connect: (baseUrl: string) => { readonly transport: Transport; readonly close: () => void };
}

const overHttp1: readonly HttpWay[] = [
  { name: "Connect over HTTP/1.1", create: createConnectTransport },
  { name: "gRPC-Web over HTTP/1.1", create: createGrpcWebTransport },
].map(({ name, create }) => ({
  name,
  listen: listenHttp1,
  connect: (baseUrl) => ({ transport: create({ httpVersion: "1.1", baseUrl }), close() {} }),
}));

const overHttp2: readonly HttpWay[] = [
  { name: "Connect over HTTP/2", create: createConnectTransport },
  { name: "gRPC over HTTP/2", create: createGrpcTransport },
  { name: "gRPC-Web over HTTP/2", create: createGrpcWebTransport },
].map(({ name, create }) => ({
  name,
  listen,
  connect(baseUrl) {
    const sessionManager = new Http2SessionManager(baseUrl);
    return { transport: create({ httpVersion: "2", baseUrl, sessionManager }), close: () => sessionManager.abort() };
  },
}));

/** All protocols of a Connect router, over all versions of HTTP that carry them. */
export const httpWays: readonly HttpWay[] = [...overHttp1, ...overHttp2];

/** Collects all that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

/** Gives out what it is given, in later turns. */
export async function* streamOf<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}
