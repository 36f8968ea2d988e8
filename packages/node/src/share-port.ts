// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { EventEmitter } from "node:events";
import type net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { Code, DrpcError, migrateHeader, type PeerInfo } from "@ts-drpc/core";
import { type Protocol, protocolOf } from "./first-bytes.js";
import { peerOf } from "./node-connection.js";
import { nodeError } from "./node-error.js";
import { callable, milliseconds, object } from "./node-options.js";

/** Who takes connections of a protocol: a server, to which they are new connections, or a function. */
export type ConnectionTaker = EventEmitter | ((socket: Duplex) => void);

/** Options of {@link sharePort}. */
export interface SharePortOptions {
  /**
   * Takes connections that begin with the header `DRPC!!!1`, or agreed on the
   * protocol `drpc` by TLS: `accept` of a ConnectionListener.
   */
  readonly drpc: ConnectionTaker;

  /** Takes HTTP/1.1: a server of `node:http`, made without TLS. Defaults to nobody. */
  readonly http1?: ConnectionTaker | undefined;

  /** Takes HTTP/2, and so gRPC: a server of `node:http2`, made without TLS. Defaults to nobody. */
  readonly http2?: ConnectionTaker | undefined;

  /** Takes what is none of these, such as a net.Server. Defaults to nobody. */
  readonly other?: ConnectionTaker | undefined;

  /**
   * Encrypts all connections, with the options of Node's `tls.createServer`.
   * A client may choose its protocol by ALPN: `drpc`, `h2` or `http/1.1`. Connections that are not
   * encrypted are then closed. Defaults to no encryption.
   */
  readonly tls?: tls.TlsOptions | undefined;

  /** How long a client may take until it is clear what it speaks, TLS included, in milliseconds. Defaults to 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;

  /** Is told of connections that are closed because nobody takes them, or their handshake failed. Defaults to nothing. */
  readonly onConnectionError?: ((error: DrpcError, peer: PeerInfo) => void) | undefined;
}

/**
 * Shares a port among DRPC, HTTP/1.1, HTTP/2 and others: what a client sends
 * first tells whom its connection goes to. Returns what takes the connections
 * of the port. Clients send the header by the option `migrateHeader`.
 *
 * Throws a RangeError or TypeError that names the option if one has a wrong value.
 *
 * @example
 * const drpc = createConnectionListener({ routes: (router) => registerEchoService(router, handler) });
 * net.createServer(sharePort({ drpc: drpc.accept, http1: http.createServer(app) })).listen(8080);
 */
export function sharePort(options: SharePortOptions): (socket: net.Socket) => void {
  const shared = new SharedPort(object("options", options));
  return (socket) => shared.accept(socket);
}

const alpnProtocols = new Map<string | false | null, Protocol>([
  ["drpc", "drpc"],
  ["h2", "http2"],
  ["http/1.1", "http1"],
]);

class SharedPort {
  readonly #options: SharePortOptions;
  readonly #handshakeTimeoutMs: number;
  readonly #secured: tls.Server | undefined;
  readonly #securedDrpc: tls.Server | undefined;

  constructor(options: SharePortOptions) {
    this.#options = options;
    this.#handshakeTimeoutMs = milliseconds("handshakeTimeoutMs", options.handshakeTimeoutMs ?? 10_000);
    callable("onConnectionError", options.onConnectionError ?? (() => undefined));
    for (const name of ["drpc", "http1", "http2", "other"] as const) {
      checkTaker(name, options[name], name === "drpc");
    }
    if (options.tls !== undefined) {
      this.#secured = this.#createTls(object("tls", options.tls), (socket) => this.#acceptSecured(socket));
      this.#securedDrpc = this.#createTls(options.tls, (socket) => this.#give(socket, "drpc"));
    }
  }

  accept(socket: net.Socket): void {
    this.#lookAt(socket, (protocol) => {
      if (this.#secured === undefined) {
        this.#give(socket, protocol);
      } else if (protocol === "tls") {
        this.#secured.emit("connection", socket);
      } else if (protocol === "drpc") {
        // Go's clients send the header ahead of TLS.
        socket.read(migrateHeader.length);
        this.#securedDrpc?.emit("connection", socket);
      } else {
        this.#failed(socket, new Error("it is not encrypted, and this port takes TLS only"));
      }
    });
  }

  #acceptSecured(socket: tls.TLSSocket): void {
    const agreed = alpnProtocols.get(socket.alpnProtocol);
    if (agreed !== undefined) {
      this.#give(socket, agreed);
    } else {
      this.#lookAt(socket, (protocol) => this.#give(socket, protocol));
    }
  }

  #createTls(options: tls.TlsOptions, accept: (socket: tls.TLSSocket) => void): tls.Server {
    try {
      const limits = { ALPNProtocols: this.#alpn(), handshakeTimeout: this.#handshakeTimeoutMs };
      const server = tls.createServer({ ...limits, ...options }, accept);
      server.on("tlsClientError", (reason, socket) => this.#failed(socket, reason));
      return server;
    } catch (reason) {
      throw new TypeError(`tls was not understood: ${String(reason)}`, { cause: reason });
    }
  }

  /** Looks at what a client sends first, and closes the connection of one that does not say anything in time. */
  #lookAt(socket: net.Socket, found: (protocol: Protocol) => void): void {
    const over = (reason?: Error): void => {
      clearTimeout(timer);
      socket.off("readable", read);
      socket.off("error", over);
      socket.off("close", closed);
      if (reason !== undefined) {
        this.#failed(socket, reason);
      }
    };
    const text = `it did not say what it speaks within handshakeTimeoutMs, ${this.#handshakeTimeoutMs} ms`;
    const timer = setTimeout(() => over(new Error(text)), this.#handshakeTimeoutMs);
    const closed = (): void => over(new Error("it ended before it said what it speaks"));
    let bytes = Buffer.alloc(0);
    const read = (): void => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        bytes = Buffer.concat([bytes, chunk]);
      }
      const protocol = protocolOf(bytes);
      if (protocol !== undefined) {
        over();
        socket.unshift(bytes);
        found(protocol);
      }
    };
    socket.on("readable", read);
    socket.on("error", over);
    socket.on("close", closed);
  }

  /** Offers only what somebody takes. */
  #alpn(): string[] {
    return [...alpnProtocols].flatMap(([name, protocol]) =>
      typeof name === "string" && this.#options[protocol as "drpc"] !== undefined ? [name] : [],
    );
  }

  #give(socket: net.Socket, protocol: Protocol): void {
    // Within TLS, or where there is none, what looks like TLS is for whoever takes anything.
    const taker = this.#options[protocol === "tls" ? "other" : protocol] ?? this.#options.other;
    if (taker === undefined) {
      this.#failed(socket, new Error(`it speaks ${protocol}, which nobody here takes`));
    } else if (typeof taker === "function") {
      taker(socket);
    } else {
      taker.emit("connection", socket);
    }
  }

  #failed(socket: net.Socket, reason: Error): void {
    const peer = peerOf(socket, "a client");
    socket.on("error", () => undefined);
    socket.destroy();
    const error = nodeError(`the connection from ${peer.address} was closed`, reason);
    try {
      this.#options.onConnectionError?.(new DrpcError(error.rawMessage, Code.Unavailable, { cause: reason }), peer);
    } catch (second) {
      console.error("onConnectionError threw:", second);
    }
  }
}

function checkTaker(name: string, taker: unknown, needed: boolean): void {
  const emits = typeof (taker as EventEmitter | undefined)?.emit === "function";
  if (!(typeof taker === "function" || emits || (taker === undefined && !needed))) {
    throw new TypeError(`${name} must be a server or a function that takes connections, got ${String(taker)}`);
  }
}
