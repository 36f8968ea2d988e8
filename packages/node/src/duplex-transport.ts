// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Duplex } from "node:stream";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  Code,
  type Connection,
  createSessionTransport,
  DrpcError,
  type SessionTransport,
  type SessionTransportOptions,
  type StreamingMethod,
  type StreamResponse,
  type TransportCloseOptions,
  type TransportState,
  type UnaryMethod,
  type UnaryResponse,
} from "@ts-drpc/core";
import { createNodeConnection, peerOf, type StreamPair } from "./node-connection.js";
import { object, show } from "./node-options.js";

/** Options of a transport over one Duplex, or one pair of streams. */
export interface DuplexTransportOptions
  extends Omit<
    SessionTransportOptions,
    "maxConnections" | "loadBalancing" | "reconnect" | "initialReconnectMs" | "maxReconnectMs"
  > {
  /** What errors call the peer. Defaults to the address of a socket, and for all else to `a stream`. */
  readonly address?: string | undefined;
}

/**
 * Creates a transport over streams that are connected to a server already: one
 * Duplex, or a pair such as `{ readable: child.stdout, writable: child.stdin }`.
 * When they end, further calls fail with Unavailable.
 *
 * The transport owns the streams, and ends them when it is closed.
 */
export function createDuplexTransport(
  duplex: Duplex | StreamPair,
  options: DuplexTransportOptions = {},
): SessionTransport {
  return new DuplexTransport(duplex, options);
}

class DuplexTransport implements SessionTransport {
  readonly #transport: SessionTransport;
  readonly #address: string;
  #unused: Connection | undefined;

  constructor(duplex: Duplex | StreamPair, options: DuplexTransportOptions) {
    const { address: named, ...transportOptions } = object("options", options);
    if (named !== undefined && typeof named !== "string") {
      throw new TypeError(`address must be a text, got ${show(named)}`);
    }
    const peer = peerOf(duplex);
    this.#address = named ?? peer.address;
    this.#unused = createNodeConnection(duplex, { ...peer, address: this.#address });
    this.#transport = createSessionTransport(async () => this.#take(), {
      ...transportOptions,
      maxConnections: 1,
      reconnect: false,
    });
  }

  get state(): TransportState {
    return this.#transport.state;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<UnaryResponse<O>> {
    return this.#transport.unary(method, request, options);
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: StreamingMethod<I, O>,
    requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
    options?: CallOptions,
  ): Promise<StreamResponse<O>> {
    return this.#transport.stream(method, requests, options);
  }

  async close(options?: TransportCloseOptions): Promise<void> {
    await this.#transport.close(options);
    // Without a call the session that would close the connection was never made.
    this.#unused?.close();
    this.#unused = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(): Connection {
    const connection = this.#unused;
    this.#unused = undefined;
    if (connection === undefined) {
      const text = `the connection to ${this.#address} has ended, and this transport can make no other`;
      throw new DrpcError(text, Code.Unavailable, { notStarted: true });
    }
    return connection;
  }
}
