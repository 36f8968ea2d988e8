// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import net from "node:net";
import tls from "node:tls";
import { type Connection, migrateHeader } from "@ts-drpc/core";
import { type NodeAddress, showAddress } from "./node-address.js";
import { createNodeConnection } from "./node-connection.js";
import { nodeError } from "./node-error.js";

/** How to reach a server. */
export interface DialOptions {
  /**
   * Encrypts the connection, with the options of Node's `tls.connect`: `ca` to
   * trust, `key` and `cert` to prove who calls. The server's name is checked
   * against `servername`, which defaults to the host. Defaults to no encryption.
   */
  readonly tls?: tls.ConnectionOptions | undefined;

  /** How long it may take to connect, TLS included, in milliseconds. Defaults to 10,000. */
  readonly connectTimeoutMs?: number | undefined;
}

/** Connects to a server. Rejects with a DrpcError that names the address, and says `notStarted`. */
export function dial(
  address: NodeAddress,
  security: tls.ConnectionOptions | undefined,
  connectTimeoutMs: number,
  headerBeforeTls: boolean,
): Promise<Connection> {
  const shown = showAddress(address, "localhost");
  return new Promise((resolve, reject) => {
    const sockets: net.Socket[] = [];
    const fail = (reason: unknown): void => {
      clearTimeout(timer);
      for (const socket of sockets) {
        socket.destroy();
      }
      reject(nodeError(`cannot connect to ${shown}`, reason, true));
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer within connectTimeoutMs, ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    const start = (
      event: "connect" | "secureConnect",
      connect: () => net.Socket,
      then: (socket: net.Socket) => void,
    ) => {
      try {
        const socket = connect();
        sockets.push(socket);
        socket.once("error", fail);
        socket.once(event, () => then(socket));
      } catch (reason) {
        // Node looks at a key or a certificate only now, and throws if it cannot read it.
        fail(reason);
      }
    };
    const connected = (socket: net.Socket): void => {
      clearTimeout(timer);
      for (const each of sockets) {
        each.off("error", fail);
      }
      resolve(createNodeConnection(socket, { address: shown }));
    };
    const target = targetOf(address);
    if (security === undefined) {
      start("connect", () => net.connect(target), connected);
    } else if (headerBeforeTls) {
      const secure = (socket: net.Socket): void => {
        socket.write(migrateHeader);
        start("secureConnect", () => connectTls(target, { ...security, socket }), connected);
      };
      start("connect", () => net.connect(target), secure);
    } else {
      start("secureConnect", () => connectTls(target, security), connected);
    }
  });
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

function targetOf(address: NodeAddress): Target {
  return address.path === undefined
    ? { host: address.host ?? "localhost", port: address.port }
    : { path: address.path };
}

function connectTls(target: Target, security: tls.ConnectionOptions): tls.TLSSocket {
  // A name can be checked, an address cannot be sent as one.
  const name = "host" in target && net.isIP(target.host) === 0 ? { servername: target.host } : {};
  return tls.connect({ ...name, ...target, ...security });
}
