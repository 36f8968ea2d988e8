// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Duplex } from "node:stream";
import {
  type CloseReport,
  Code,
  checkServeOptions,
  createRouter,
  DrpcError,
  type PeerInfo,
  type Router,
  type ServedConnection,
  type ServeOptions,
  serveConnection,
} from "@ts-drpc/core";
import { createNodeConnection, peerOf, type StreamPair } from "./node-connection.js";
import { callable, milliseconds, object, wholeNumber } from "./node-options.js";

/** Options of a {@link ConnectionListener}. */
export interface ConnectionListenerOptions extends ServeOptions {
  /** Registers the handlers. Called once. */
  readonly routes: (router: Router) => void;

  /** How many connections are served at once. Further ones are closed at once. Defaults to 10,000. */
  readonly maxConnections?: number | undefined;

  /**
   * Is told when a connection ends because of an error, such as a peer that
   * does not speak DRPC, or was not served at all. Defaults to nothing.
   */
  readonly onConnectionError?: ((error: DrpcError, peer: PeerInfo) => void) | undefined;
}

/** How to close a server. */
export interface CloseOptions {
  /** How long calls under way may go on, in milliseconds, before they are aborted. Defaults to 10,000. */
  readonly drainMs?: number | undefined;
}

/** What closing a server did. */
export interface ServerCloseReport extends CloseReport {
  /** How many connections were closed. */
  readonly connections: number;
}

/**
 * ConnectionListener serves connections that somebody else accepts: those of
 * your own net.Server or tls.Server, any Duplex, or a pair of streams.
 *
 * @example
 * const listener = createConnectionListener({ routes: (router) => registerEchoService(router, handler) });
 * net.createServer(listener.accept).listen(8080);
 */
export interface ConnectionListener {
  /**
   * Serves a connection until it ends. It can be passed as it is to
   * `net.createServer`. The address names a peer that has none itself, such as
   * a unix socket; it defaults to `a stream`.
   */
  readonly accept: (duplex: Duplex | StreamPair, address?: string) => void;

  /** How many connections are being served. */
  readonly connectionCount: number;

  /**
   * Takes no more calls, drains those under way, aborts what is left, closes
   * all connections, and resolves with what it did. Closing twice does no harm.
   */
  close(options?: CloseOptions): Promise<ServerCloseReport>;
}

/** Creates a listener for connections. Throws a RangeError or TypeError that names the option if one has a wrong value. */
export function createConnectionListener(options: ConnectionListenerOptions): ConnectionListener {
  return new RouterListener(options);
}

/** Tells `onConnectionError`, and survives what it throws: one peer must not bring down the server of all others. */
export function connectionErrorTeller(
  options: ConnectionListenerOptions,
): NonNullable<ConnectionListenerOptions["onConnectionError"]> {
  const { onConnectionError = () => undefined } = options;
  callable("onConnectionError", onConnectionError);
  return (error, peer) => {
    try {
      onConnectionError(error, peer);
    } catch (reason) {
      console.error("onConnectionError threw:", reason);
    }
  };
}

/** How many connections a server has at most, unless it is told. */
export const defaultMaxConnections = 10_000;

/** Says that a connection was closed because there are as many as there may be. */
export function tooManyConnections(peer: PeerInfo, maxConnections: number): DrpcError {
  const text = `the connection from ${peer.address} was closed, the limit maxConnections is ${maxConnections}`;
  return new DrpcError(text, Code.ResourceExhausted);
}

class RouterListener implements ConnectionListener {
  readonly #options: ConnectionListenerOptions;
  readonly #router = createRouter();
  readonly #maxConnections: number;
  readonly #tellError: NonNullable<ConnectionListenerOptions["onConnectionError"]>;
  readonly #served = new Set<ServedConnection>();
  #closed: Promise<ServerCloseReport> | undefined;

  constructor(options: ConnectionListenerOptions) {
    this.#options = object("options", options);
    this.#maxConnections = wholeNumber("maxConnections", options.maxConnections ?? defaultMaxConnections);
    this.#tellError = connectionErrorTeller(options);
    // Each connection looks at them too, but when one comes it is too late to complain.
    checkServeOptions(options);
    callable("onError", options.onError ?? (() => undefined));
    const registered: unknown = callable("routes", options.routes)(this.#router);
    if (registered instanceof Promise) {
      registered.catch(() => undefined);
      throw new TypeError("routes must register its handlers before it returns, and must not be async");
    }
  }

  readonly accept = (duplex: Duplex | StreamPair, address?: string): void => {
    const peer = peerOf(duplex, address);
    const connection = createNodeConnection(duplex, peer);
    if (this.#closed !== undefined) {
      connection.abort();
      return;
    }
    if (this.#served.size >= this.#maxConnections) {
      connection.abort();
      this.#tellError(tooManyConnections(peer, this.#maxConnections), peer);
      return;
    }
    const served = serveConnection(connection, this.#router, this.#options);
    this.#served.add(served);
    void served.closed.then((error) => {
      this.#served.delete(served);
      if (error !== undefined) {
        this.#tellError(error, peer);
      }
    });
  };

  get connectionCount(): number {
    return this.#served.size;
  }

  async close(options: CloseOptions = {}): Promise<ServerCloseReport> {
    const drainMs = milliseconds("drainMs", options.drainMs ?? 10_000, 0);
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<ServerCloseReport> {
    const served = [...this.#served];
    const reports = await Promise.all(served.map((connection) => connection.close({ drainMs })));
    return {
      connections: served.length,
      drained: reports.reduce((sum, report) => sum + report.drained, 0),
      aborted: reports.reduce((sum, report) => sum + report.aborted, 0),
    };
  }
}
