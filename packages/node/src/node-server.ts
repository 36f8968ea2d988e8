// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import net from "node:net";
import type tls from "node:tls";
import { DrpcError } from "@ts-drpc/core";
import {
  type CloseOptions,
  type ConnectionListener,
  type ConnectionListenerOptions,
  connectionErrorTeller,
  createConnectionListener,
  defaultMaxConnections,
  type ServerCloseReport,
  tooManyConnections,
} from "./connection-listener.js";
import { type NodeAddress, resolveAddress, showAddress } from "./node-address.js";
import { peerOf } from "./node-connection.js";
import { nodeError } from "./node-error.js";
import { milliseconds, object } from "./node-options.js";
import { createTlsListener } from "./tls-listener.js";

/** How a server encrypts. */
export interface ListenSecurity {
  /**
   * Encrypts connections, with the options of Node's `tls.createServer`: `key`
   * and `cert`, and for callers that must prove who they are `ca` and
   * `requestCert: true`. Defaults to no encryption.
   */
  readonly tls?: tls.TlsOptions | undefined;
}

/** Where a server listens for TCP. */
export interface TcpListenOptions extends ListenSecurity {
  /** 0 stands for any port that is free. */
  readonly port: number;

  /** Defaults to all addresses of the machine. */
  readonly host?: string | undefined;
}

/** At which unix socket a server listens. */
export interface UnixListenOptions extends ListenSecurity {
  readonly path: string;
}

/** Options of a {@link NodeServer}. */
export interface NodeServerOptions extends ConnectionListenerOptions {
  /** How long a TLS handshake may take, in milliseconds. Defaults to 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** A server on TCP, TLS or unix sockets. */
export interface NodeServer extends AsyncDisposable {
  /**
   * Starts to listen, and resolves with where. It may be called several times,
   * for several addresses. Rejects with a DrpcError that names the address if
   * that cannot be, and with a RangeError or TypeError that names the option if
   * one has a wrong value.
   */
  listen(options: TcpListenOptions): Promise<{ readonly host: string; readonly port: number }>;
  listen(options: UnixListenOptions): Promise<{ readonly path: string }>;

  /** How many connections are being served. */
  readonly connectionCount: number;

  /**
   * Stops listening, lets calls under way go on for `drainMs`, aborts those
   * that are left, closes all connections, and resolves with what it did.
   * Closing twice does no harm.
   */
  close(options?: CloseOptions): Promise<ServerCloseReport>;
}

/**
 * Creates a server for the handlers that `routes` registers. Throws a
 * RangeError or TypeError that names the option if one has a wrong value.
 *
 * @example
 * const server = createNodeServer({ routes: (router) => registerEchoService(router, handler) });
 * await server.listen({ port: 8080 });
 */
export function createNodeServer(options: NodeServerOptions): NodeServer {
  return new RouterServer(options);
}

class RouterServer implements NodeServer {
  readonly #listener: ConnectionListener;
  readonly #handshakeTimeoutMs: number;
  readonly #maxConnections: number;
  readonly #tellError: ReturnType<typeof connectionErrorTeller>;
  readonly #servers = new Set<net.Server>();
  readonly #sockets = new Set<net.Socket>();
  #closed: Promise<ServerCloseReport> | undefined;

  constructor(options: NodeServerOptions) {
    this.#listener = createConnectionListener(options);
    this.#handshakeTimeoutMs = milliseconds("handshakeTimeoutMs", options.handshakeTimeoutMs ?? 10_000);
    this.#maxConnections = options.maxConnections ?? defaultMaxConnections;
    this.#tellError = connectionErrorTeller(options);
  }

  get connectionCount(): number {
    return this.#listener.connectionCount;
  }

  listen(options: TcpListenOptions): Promise<{ readonly host: string; readonly port: number }>;
  listen(options: UnixListenOptions): Promise<{ readonly path: string }>;
  async listen(
    options: TcpListenOptions | UnixListenOptions,
  ): Promise<{ host: string; port: number } | { path: string }> {
    this.#checkOpen();
    const address = resolveAddress(object("options", options), 0);
    const shown = showAddress(address, "*");
    const server = this.#createServer(options.tls, shown);
    await startListening(server, address, shown);
    if (this.#closed !== undefined) {
      server.close();
    }
    this.#checkOpen();
    this.#servers.add(server);
    // Accepting can fail for a while, when files run out, say; those that are connected are not to suffer.
    server.on("error", (reason) => this.#tellError(nodeError(`cannot accept on ${shown}`, reason), { address: shown }));
    const bound = server.address();
    return typeof bound === "string" || bound === null ? { path: shown } : { host: bound.address, port: bound.port };
  }

  async close(options: CloseOptions = {}): Promise<ServerCloseReport> {
    // Looked at first, so that a wrong value leaves the server as it was.
    milliseconds("drainMs", options.drainMs ?? 10_000, 0);
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: CloseOptions): Promise<ServerCloseReport> {
    const stopped = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    const report = await this.#listener.close(options);
    // Those that are left never became connections: their handshake was still under way.
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await Promise.all(stopped);
    return report;
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) {
      throw new TypeError("the server was closed, and cannot listen again");
    }
  }

  #createServer(security: tls.TlsOptions | undefined, shown: string): net.Server {
    const accept = (socket: net.Socket): void => this.#listener.accept(socket, shown);
    const server = security === undefined ? net.createServer(accept) : this.#createTlsServer(security, accept);
    server.on("connection", (socket: net.Socket) => {
      if (security !== undefined && this.#sockets.size >= this.#maxConnections) {
        // The listener counts connections from the end of their handshake on.
        const peer = peerOf(socket, "a client that is gone");
        socket.destroy();
        this.#tellError(tooManyConnections(peer, this.#maxConnections), peer);
        return;
      }
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("tlsClientError", (reason: Error, socket: net.Socket) => {
      const peer = peerOf(socket, "a client that is gone");
      // Node itself leaves it open when the handshake took too long.
      socket.destroy();
      this.#tellError(nodeError(`the TLS handshake with ${peer.address} failed`, reason), peer);
    });
    return server;
  }

  #createTlsServer(security: tls.TlsOptions, accept: (socket: net.Socket) => void): net.Server {
    object("tls", security);
    try {
      return createTlsListener(security, this.#handshakeTimeoutMs, accept);
    } catch (reason) {
      throw new TypeError(`tls was not understood: ${reason instanceof Error ? reason.message : String(reason)}`, {
        cause: reason,
      });
    }
  }
}

/** Starts to listen. Rejects with a DrpcError that names the address if that cannot be. */
function startListening(server: net.Server, address: NodeAddress, shown: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (reason: unknown): void => {
      const { rawMessage, code, cause } = nodeError(`cannot listen on ${shown}`, reason);
      const left = address.path !== undefined && rawMessage.includes("EADDRINUSE");
      const hint = left ? "; if no server does, one that was killed left the file behind: remove it" : "";
      reject(new DrpcError(rawMessage + hint, code, { cause }));
    };
    server.once("error", failed);
    server.listen(address, () => {
      server.off("error", failed);
      resolve();
    });
  });
}
