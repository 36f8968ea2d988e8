// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { TestContext } from "node:test";
import {
  Code,
  type Connection,
  createRouter,
  DrpcError,
  type ServedConnection,
  type ServeOptions,
  serveConnection,
  type Target,
  type Transport,
} from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { EchoHandler, type EchoServiceHandler, registerEchoService } from "@ts-drpc-internal/fixtures";

/** A server at an address, which can be killed and started, in memory. */
export class FakeServer {
  readonly address: string;

  /** How many connections were asked for. */
  dials = 0;

  /** How many of its attempts to connect were given up. */
  abandoned = 0;

  /** What becomes of attempts to connect. */
  mode: "serves" | "refuses" | "hangs" | "closes at once" = "serves";

  readonly served: ServedConnection[] = [];
  readonly #router = createRouter();
  readonly #options: ServeOptions;
  readonly #connections = new Set<Connection>();

  constructor(address: string, handler: Partial<EchoServiceHandler> = new EchoHandler(), options: ServeOptions = {}) {
    this.address = address;
    this.#options = options;
    registerEchoService(this.#router, handler);
  }

  get target(): Target {
    return { address: this.address, dial: (signal) => this.dial(signal) };
  }

  async dial(signal: AbortSignal): Promise<Connection> {
    this.dials++;
    if (this.mode === "refuses") {
      throw new DrpcError(`cannot connect to ${this.address}: connection refused`, Code.Unavailable);
    }
    if (this.mode === "hangs") {
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          this.abandoned++;
          reject(signal.reason);
        });
      });
    }
    const { client, server } = createConnectionPair();
    if (this.mode === "closes at once") {
      server.start({ data() {}, writable() {}, end() {} });
      server.abort();
    } else {
      this.#connections.add(server);
      this.served.push(serveConnection(server, this.#router, this.#options));
    }
    Object.defineProperty(client, "peer", { value: { address: this.address } });
    return client;
  }

  /** Loses all connections, and takes no more. */
  kill(): void {
    this.mode = "refuses";
    this.dropConnections();
  }

  dropConnections(): void {
    for (const connection of this.#connections) {
      this.#connections.delete(connection);
      connection.abort();
    }
  }
}

/** Lets time pass: all that follows from it has happened when the promise resolves. Time goes on by itself once it is disposed. */
export type Pass = ((ms?: number) => Promise<void>) & Disposable;

/** Stops time, up to the end of a test, and returns what lets it pass. */
export function useFakeTime(t: TestContext): Pass {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.mock.method(performance, "now", () => Date.now());
  // Without jitter: half of the way between the lowest and the highest.
  t.mock.method(Math, "random", () => 0.5);
  const settle = async (): Promise<void> => {
    // Connections in memory deliver by timers, and calls go on by promises.
    for (let count = 0; count < 30; count++) {
      t.mock.timers.tick(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const pass = async (ms = 0): Promise<void> => {
    await settle();
    if (ms > 0) {
      t.mock.timers.tick(ms);
      await settle();
    }
  };
  return Object.assign(pass, { [Symbol.dispose]: () => t.mock.timers.reset() });
}

/** Closes a transport while time only passes as it is told to. */
export async function closeIn(pass: () => Promise<void>, transport: Transport): Promise<void> {
  const closing = transport.close();
  await pass();
  await closing;
}
