// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import net from "node:net";
import tls from "node:tls";
import type { Connection, DrpcError } from "@ts-drpc/core";
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
): Promise<Connection> {
  const shown = showAddress(address, "localhost");
  const failed = (reason: unknown): DrpcError => nodeError(`cannot connect to ${shown}`, reason, true);
  return new Promise((resolve, reject) => {
    let socket: net.Socket;
    try {
      socket = connect(address, security);
    } catch (reason) {
      // Node looks at a key or a certificate only now, and throws if it cannot read it.
      reject(failed(reason));
      return;
    }
    const fail = (reason: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(failed(reason));
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer within connectTimeoutMs, ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    socket.once("error", fail);
    socket.once(security === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(createNodeConnection(socket, { address: shown }));
    });
  });
}

function connect(address: NodeAddress, security: tls.ConnectionOptions | undefined): net.Socket {
  const target =
    address.path === undefined ? { host: address.host ?? "localhost", port: address.port } : { path: address.path };
  if (security === undefined) {
    return net.connect(target);
  }
  // A name can be checked, an address cannot be sent as one.
  const name = target.host !== undefined && net.isIP(target.host) === 0 ? { servername: target.host } : {};
  return tls.connect({ ...name, ...target, ...security });
}
