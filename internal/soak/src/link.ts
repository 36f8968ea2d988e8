// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type Connection, type Router, type ServedConnection, type ServeOptions, serveConnection } from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { createNodeConnection } from "@ts-drpc/node";

/** What connections are made of. */
export type LinkKind = "memory" | "TCP";

/** A server, and how to get to it. */
export interface Link {
  dial(): Promise<Connection>;

  /** The connections that are being served. */
  readonly served: ReadonlySet<ServedConnection>;

  /** Takes no more connections, and ends those that there are. */
  close(): Promise<void>;
}

/** Serves a router in memory, or on a port of this machine. */
export async function openLink(kind: LinkKind, router: Router, options: ServeOptions): Promise<Link> {
  const served = new Set<ServedConnection>();
  const serve = (connection: Connection): void => {
    const each = serveConnection(connection, router, options);
    served.add(each);
    void each.closed.then(() => served.delete(each));
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all([...served].map((each) => each.close({ drainMs: 0 })));
  };
  if (kind === "memory") {
    return {
      served,
      dial: async () => {
        const { client, server } = createConnectionPair();
        serve(server);
        return client;
      },
      close: closeAll,
    };
  }
  const listener = createServer((socket) => serve(createNodeConnection(socket)));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    served,
    dial: async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return createNodeConnection(socket);
    },
    async close() {
      const closed = once(listener, "close");
      listener.close();
      await closeAll();
      await closed;
    },
  };
}
