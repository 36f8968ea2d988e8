// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DrpcError, HandlerContext, PeerInfo } from "@ts-drpc/core";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  type EchoServiceHandler,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import {
  createNodeServer,
  createNodeTransport,
  type NodeServer,
  type NodeServerOptions,
  type NodeTransportOptions,
} from "../src/index.js";

/** What a server told its `onConnectionError`. */
export interface ConnectionFailure {
  readonly error: DrpcError;
  readonly peer: PeerInfo;
}

/** A server of a test, and what becomes of its connections. */
export interface ServerInUse {
  readonly server: NodeServer;
  readonly failures: readonly ConnectionFailure[];

  /** Resolves with the first connection error that was not returned yet. */
  nextFailure(): Promise<ConnectionFailure>;
}

/** A server that echoes, closed after the test. */
export function useServer(
  t: TestContext,
  options: Partial<NodeServerOptions> = {},
  handler: Partial<EchoServiceHandler> = new EchoHandler(),
): ServerInUse {
  const failures: ConnectionFailure[] = [];
  const waiting: (() => void)[] = [];
  let returned = 0;
  const server = createNodeServer({
    routes: (router) => registerEchoService(router, handler),
    onConnectionError: (error, peer) => {
      failures.push({ error, peer });
      waiting.shift()?.();
    },
    ...options,
  });
  t.after(() => server.close({ drainMs: 0 }));
  const nextFailure = async (): Promise<ConnectionFailure> => {
    const failure = failures[returned++];
    if (failure !== undefined) {
      return failure;
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
    return failures[returned - 1] as ConnectionFailure;
  };
  return { server, failures, nextFailure };
}

/** A client of the echo service, whose transport is closed after the test. */
export function useClient(t: TestContext, options: NodeTransportOptions): EchoServiceClient {
  const transport = createNodeTransport(options);
  t.after(() => transport.close());
  return createEchoServiceClient(transport);
}

/** A server without DRPC, gone after the test. Returns its port. */
export async function useForeignServer(t: TestContext, server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as net.AddressInfo).port;
}

/** A client without DRPC, connected, and gone after the test. */
export async function useForeignClient(t: TestContext, port: number): Promise<net.Socket> {
  const socket = net.connect({ host: "127.0.0.1", port });
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A path for a unix socket, removed after the test. */
export async function useSocketPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "ts-drpc-"));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, "echo.sock");
}

/** Handlers of `say` that never answer, and the contexts of their calls. */
export class HangingHandler implements Partial<EchoServiceHandler> {
  readonly #started: HandlerContext[] = [];
  readonly #waiting: ((context: HandlerContext) => void)[] = [];

  say(_request: unknown, context: HandlerContext): Promise<never> {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#started.push(context);
    } else {
      waiting(context);
    }
    return new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
    });
  }

  /** Resolves with the context of the next call that came. */
  async started(): Promise<HandlerContext> {
    return this.#started.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Resolves with the reason once a signal has aborted. */
export async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) {
    await once(signal, "abort");
  }
  return signal.reason;
}
