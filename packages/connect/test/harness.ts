// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ConnectRouter, ConnectRouterOptions } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

/** Serves the routes of Connect over HTTP/2 on a free port. */
export async function listen(
  routes: (router: ConnectRouter) => void,
  options: ConnectRouterOptions = {},
): Promise<{ readonly baseUrl: string; readonly close: () => Promise<void> }> {
  const server = createServer(connectNodeAdapter({ ...options, routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://localhost:${port}`,
    async close() {
      for (const session of sessions) {
        session.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}

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
