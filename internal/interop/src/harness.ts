// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Code, DrpcError, type SessionTransportOptions } from "@ts-drpc/core";
import { createNodeServer, createNodeTransport, type NodeServer, type NodeServerOptions } from "@ts-drpc/node";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { EchoHandler, type MsgInit } from "./echo-handler.js";
import { GoClient, type GoPeer, type GoServer, startGoServer } from "./go-program.js";

/** What a scenario needs, and what is to be disposed of after it. */
export class Harness implements AsyncDisposable {
  readonly peer: GoPeer;
  readonly #disposals: (() => Promise<unknown>)[] = [];

  constructor(peer: GoPeer) {
    this.peer = peer;
  }

  /** True if the peer sends and reads errors as google.rpc.Status. */
  get statusErrors(): boolean {
    return this.peer !== "storj";
  }

  /** True if the peer takes many calls at once on a connection. Our clients are told, where they are told nothing else. */
  get multiplexed(): boolean {
    return this.peer === "cockroach-mux";
  }

  /** Starts a Go server whose log is looked at in the end. */
  async goServer(...args: readonly string[]): Promise<GoServer> {
    const server = await startGoServer(this.peer, ...args);
    this.#disposals.push(async () => {
      await server.program.stop();
      assertQuiet(server.program.takeLog());
    });
    return server;
  }

  /** Starts a Go client of a server of ours. */
  goClient({ port }: { readonly port: number }, ...args: readonly string[]): GoClient {
    const client = new GoClient(this.peer, port, ...args);
    this.#disposals.push(async () => {
      await client.program.stop();
      assertQuiet(client.program.takeLog());
    });
    return client;
  }

  /** Creates a client of ours. */
  client(
    { port }: { readonly port: number },
    options: SessionTransportOptions & { tls?: object; host?: string } = {},
  ): gopeer.EchoClient {
    const kind = this.multiplexed ? ({ peer: "multiplexed" } as const) : {};
    const transport = createNodeTransport({ host: "127.0.0.1", port, ...kind, ...options });
    this.#disposals.push(() => Promise.race([transport.close(), sleep(2_000)]));
    return gopeer.createEchoClient(transport);
  }

  /** Starts a server of ours, whose clients are to keep to the protocol. */
  async server(
    options: Partial<NodeServerOptions> = {},
    listen: { port?: number; tls?: object } = {},
  ): Promise<OurServer> {
    const handler = new EchoHandler();
    const errors: DrpcError[] = [];
    const server = createNodeServer({
      routes: (router) => gopeer.registerEcho(router, handler),
      onConnectionError: (error) => errors.push(error),
      errorFormat: this.statusErrors ? "grpc-status" : "drpc",
      ...options,
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, ...listen });
    this.#disposals.push(async () => {
      await server.close({ drainMs: 0 });
      // Unavailable says that a client left, as Go's do, without a word.
      assert.deepEqual(errors.filter(({ code }) => code !== Code.Unavailable).map(String), []);
    });
    return { server, port, handler, errors };
  }

  /** Does something in the end. */
  after(dispose: () => Promise<unknown>): void {
    this.#disposals.push(dispose);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // All of them, even if one complains.
    const failures: unknown[] = [];
    for (const dispose of this.#disposals.reverse()) {
      await dispose().catch((reason: unknown) => failures.push(reason));
    }
    if (failures.length > 0) {
      throw failures[0];
    }
  }
}

/** A server of ours. */
export interface OurServer {
  readonly server: NodeServer;
  readonly port: number;
  readonly handler: EchoHandler;

  /** The errors that ended connections. */
  readonly errors: DrpcError[];
}

/** What a Go program may log: that connections ended. All else is about the protocol. */
const harmless =
  /^(manager closed: )?(EOF|closed: |context canceled|Close called|.*: connection reset by peer|.*: broken pipe)/;

function assertQuiet(log: string): void {
  const lines = log.split("\n").filter((line) => line !== "" && !harmless.test(line));
  assert.deepEqual(lines, [], "the Go program logged");
}

/** The path of a file with a certificate. */
export function certificateFile(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/certificates/${name}`, import.meta.url));
}

/** Resolves with the DrpcError that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<DrpcError> {
  try {
    await call;
  } catch (reason) {
    assert.ok(reason instanceof DrpcError, String(reason));
    return reason;
  }
  throw new assert.AssertionError({ message: "the call did not fail" });
}

/** Collects all that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

/** Gives out messages with these texts, numbered from 1. */
export async function* texts(...all: readonly string[]): AsyncGenerator<MsgInit> {
  for (const [index, text] of all.entries()) {
    yield { text, n: BigInt(index + 1) };
  }
}

/** The bytes by which either side tells whether they arrived as they were sent. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => index % 251);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so, and fails if it never is. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 10) {
    assert.ok(waited < 5_000, `waited in vain for: ${what}`);
    await sleep(10);
  }
}
