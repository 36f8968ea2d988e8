// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import net from "node:net";
import tls, { type TlsOptions } from "node:tls";
import { RawConnection } from "./raw-connection.js";

/** A server that does what a test says with each connection. */
export class HostileServer {
  readonly port: number;
  readonly connections: RawConnection[];
  readonly #server: net.Server;

  private constructor(server: net.Server, connections: RawConnection[]) {
    this.#server = server;
    this.connections = connections;
    this.port = (server.address() as net.AddressInfo).port;
  }

  /** Starts a server, on a port that is free unless it is told which. */
  static async start(
    accept: (connection: RawConnection) => void,
    { port = 0, security }: { readonly port?: number; readonly security?: TlsOptions } = {},
  ): Promise<HostileServer> {
    const connections: RawConnection[] = [];
    const take = (socket: net.Socket): void => {
      const connection = new RawConnection(socket);
      connections.push(connection);
      accept(connection);
    };
    const server = security === undefined ? net.createServer(take) : tls.createServer(security, take);
    server.on("tlsClientError", () => undefined);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new HostileServer(server, connections);
  }

  /** Ends all connections, and listens no more. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const { socket } of this.connections) {
      socket.destroy();
    }
    await closed;
  }
}
