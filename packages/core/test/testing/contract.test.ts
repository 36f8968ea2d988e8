// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { snappy } from "@ts-drpc/compression";
import {
  Code,
  type Connection,
  createRouter,
  createSessionTransport,
  DrpcError,
  type ServedConnection,
  type ServeOptions,
  type SessionTransportOptions,
  serveConnection,
} from "@ts-drpc/core";
import {
  type ConnectionFaults,
  createConnectionPair,
  createFaultyConnection,
  createRouterTransport,
} from "@ts-drpc/core/testing";
import { type ContractPair, contractServer, transportContract } from "@ts-drpc-internal/contract";

transportContract("createRouterTransport", { server: false, reopen: false }, async () => {
  const { routes, onError } = contractServer();
  const transport = createRouterTransport(routes, { server: { onError } });
  return { transport, address: "in-memory server", dispose: async () => undefined };
});

transportContract(
  "a pair of connections that cut all into pieces",
  { server: true, reopen: true },
  async () => new InMemoryPair().pair,
);

transportContract(
  "a pair of connections, with messages compressed",
  { server: true, reopen: true },
  async () =>
    new InMemoryPair({ client: { compression: snappy, peer: "multiplexed" }, server: { compressions: [snappy] } }).pair,
);

const harmless = { pieceBytes: 777, latencyMs: 1 };

transportContract(
  "a faulty connection on which bytes come late and in pieces",
  { server: true, reopen: true },
  async () => new InMemoryPair({ faults: { sent: harmless, received: harmless } }).pair,
);

const flowControl = { windowBytes: 200_000, grantThresholdBytes: 50_000 };

transportContract(
  "a pair of connections, with the flow control of CockroachDB's fork",
  // Nothing is announced then, so that several values of a key are joined.
  { server: true, reopen: true, carries: "what Go's DRPC can" },
  async () => new InMemoryPair({ client: { flowControl, peer: "multiplexed" }, server: { flowControl } }).pair,
);

interface PairOptions {
  readonly client?: SessionTransportOptions;
  readonly server?: ServeOptions;
  readonly faults?: ConnectionFaults;
}

/** A transport and a server back to back, whose server can be closed and opened again. */
class InMemoryPair {
  readonly pair: ContractPair;
  readonly #router = createRouter();
  readonly #onError: () => void;
  readonly #served = new Set<ServedConnection>();
  readonly #options: PairOptions;
  #open = true;

  constructor(options: PairOptions = {}) {
    this.#options = options;
    const { routes, onError } = contractServer();
    routes(this.#router);
    this.#onError = onError;
    this.pair = {
      transport: createSessionTransport(() => this.#dial(), options.client),
      address: "in-memory server",
      server: {
        connectionCount: async () => this.#served.size,
        close: (options) => this.#close(options),
        reopen: async () => {
          this.#open = true;
        },
      },
      dispose: async () => undefined,
    };
  }

  async #dial(): Promise<Connection> {
    if (!this.#open) {
      throw new DrpcError("the in-memory server is closed", Code.Unavailable, { notStarted: true });
    }
    const { client, server } = createConnectionPair({ chunkBytes: 1_000 });
    const served = serveConnection(server, this.#router, {
      onError: this.#onError,
      ...this.#options.server,
    });
    this.#served.add(served);
    void served.closed.then(() => this.#served.delete(served));
    return createFaultyConnection(client, this.#options.faults ?? {});
  }

  async #close(options: { readonly drainMs: number }) {
    this.#open = false;
    const served = [...this.#served];
    const reports = await Promise.all(served.map((connection) => connection.close(options)));
    return {
      connections: served.length,
      drained: reports.reduce((sum, { drained }) => sum + drained, 0),
      aborted: reports.reduce((sum, { aborted }) => sum + aborted, 0),
    };
  }
}
