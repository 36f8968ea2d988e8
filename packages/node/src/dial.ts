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

/** One place to connect to. */
export interface Endpoint {
  readonly address: NodeAddress;

  /** The name that the address was found by, which TLS checks the server's certificate against. Defaults to the host. */
  readonly hostname?: string | undefined;
}

/** Options of {@link dial}, all of them filled in. */
export interface ResolvedDialOptions {
  readonly tls: tls.ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;

  /** True if the migrate header comes before the TLS handshake. */
  readonly headerBeforeTls: boolean;
}

/** Shows an endpoint as people know it: by its name, with the address that this stands for. */
export function showEndpoint({ address, hostname }: Endpoint): string {
  return hostname === undefined || address.path !== undefined
    ? showAddress(address, "localhost")
    : `${showAddress({ ...address, host: hostname }, "localhost")} (${address.host})`;
}

/**
 * Connects to a server. Rejects with a DrpcError that names the address, and
 * says `notStarted`, also when the signal aborts.
 */
export function dial(endpoint: Endpoint, options: ResolvedDialOptions, signal: AbortSignal): Promise<Connection> {
  const shown = showEndpoint(endpoint);
  const { tls: security, connectTimeoutMs } = options;
  return new Promise((resolve, reject) => {
    const sockets: net.Socket[] = [];
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    const fail = (reason: unknown): void => {
      settle();
      for (const socket of sockets) {
        socket.destroy();
      }
      reject(nodeError(`cannot connect to ${shown}`, reason, true));
    };
    const abort = (): void => fail(new Error("the transport was closed"));
    const timer = setTimeout(
      () => fail(new Error(`no answer within connectTimeoutMs, ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    signal.addEventListener("abort", abort);
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
      settle();
      for (const each of sockets) {
        each.off("error", fail);
      }
      resolve(createNodeConnection(socket, { address: shown }));
    };
    const target = targetOf(endpoint.address);
    if (security === undefined) {
      start("connect", () => net.connect(target), connected);
    } else if (options.headerBeforeTls) {
      const secure = (socket: net.Socket): void => {
        socket.write(migrateHeader);
        start("secureConnect", () => connectTls(endpoint, { ...security, socket }), connected);
      };
      start("connect", () => net.connect(target), secure);
    } else {
      start("secureConnect", () => connectTls(endpoint, security), connected);
    }
  });
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

function targetOf(address: NodeAddress): Target {
  return address.path === undefined
    ? { host: address.host ?? "localhost", port: address.port }
    : { path: address.path };
}

function connectTls({ address, hostname }: Endpoint, security: tls.ConnectionOptions): tls.TLSSocket {
  const target = targetOf(address);
  // A name can be checked, an address cannot be sent as one.
  const name = hostname ?? ("host" in target ? target.host : undefined);
  const checked = name !== undefined && net.isIP(name) === 0 ? { servername: name } : {};
  return tls.connect({ ...checked, ...target, ...security });
}
