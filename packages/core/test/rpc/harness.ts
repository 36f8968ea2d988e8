// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import {
  type Connection,
  createRouter,
  createSessionTransport,
  type ServedConnection,
  type ServeOptions,
  type SessionTransportOptions,
  serveConnection,
  type Transport,
} from "@ts-drpc/core";
import { type ConnectionPairOptions, createConnectionPair } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  type EchoServiceHandler,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";

/** A client of ours and a server of ours, over in-memory connections. */
export interface EchoPair extends AsyncDisposable {
  readonly client: EchoServiceClient;
  readonly transport: Transport;

  /** What the transport dialled, in order. */
  readonly served: ServedConnection[];

  /** Both ends of what the transport dialled, in order. */
  readonly connections: { readonly client: Connection; readonly server: Connection }[];

  /** What the server's `onError` was told. */
  readonly errors: unknown[];
}

/** Options of an {@link echoPair}. */
export interface EchoPairOptions {
  readonly client?: SessionTransportOptions;
  readonly server?: ServeOptions;
  readonly pair?: ConnectionPairOptions;
}

/** Connects a client of ours to a server of ours that serves the echo service. */
export function echoPair(
  handler: Partial<EchoServiceHandler> = new EchoHandler(),
  options: EchoPairOptions = {},
): EchoPair {
  const router = createRouter();
  registerEchoService(router, handler);
  const served: ServedConnection[] = [];
  const connections: EchoPair["connections"] = [];
  const errors: unknown[] = [];
  const transport = createSessionTransport(async () => {
    const pair = createConnectionPair(options.pair);
    connections.push(pair);
    served.push(serveConnection(pair.server, router, { onError: (reason) => errors.push(reason), ...options.server }));
    return pair.client;
  }, options.client);
  return {
    client: createEchoServiceClient(transport),
    transport,
    served,
    connections,
    errors,
    async [Symbol.asyncDispose]() {
      await transport.close();
      await Promise.all(served.map(({ closed }) => closed));
    },
  };
}

/** Makes a call of each kind to show that the connection works as ever, and that there is just the one. */
export async function assertUsable({ client, served }: EchoPair): Promise<void> {
  const connections = Math.max(1, served.length);
  assert.equal((await client.say({ sentence: "still" })).sentence, "still");
  assert.deepEqual(await sentences(client.repeat({ sentence: "here", times: 2 })), ["here", "here"]);
  assert.equal((await client.join(each("a", "b"))).sentence, "a b");
  assert.deepEqual(await sentences(client.chat(each("c", "d"))), ["c", "d"]);
  assert.equal(served.length, connections);
}

/** Gives requests with these sentences. */
export async function* each(...all: string[]): AsyncGenerator<{ sentence: string }> {
  for (const sentence of all) {
    yield { sentence };
  }
}

/** Collects the sentences of responses. */
export async function sentences(responses: AsyncIterable<{ readonly sentence: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { sentence } of responses) {
    all.push(sentence);
  }
  return all;
}

/** Asserts that nobody listens to a signal any more. */
export function assertNoListeners(signal: AbortSignal): void {
  assert.equal(getEventListeners(signal, "abort").length, 0);
}

/** Watches for errors that nobody handles, runs a test, and asserts that there were none. */
export async function withoutUnhandled(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  try {
    await run();
    // Rejections count as unhandled at the end of a turn.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
  }
  assert.deepEqual(unhandled, []);
}

/** Resolves when no timer is pending in this process, other than those that are due at once; fails if there is one for longer. */
export async function noTimers(): Promise<void> {
  const start = performance.now();
  while (process.getActiveResourcesInfo().includes("Timeout")) {
    assert.ok(performance.now() - start < 10_000, "a timer is pending");
    await new Promise(setImmediate);
  }
}
