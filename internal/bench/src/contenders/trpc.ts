// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocket } from "ws";
import type { BenchClient, Contender } from "../contender.js";
import { asText, listenForWebSockets } from "./web-socket-server.js";

const { router, procedure } = initTRPC.create();

function text(input: unknown): string {
  if (typeof input !== "string") {
    throw new TypeError("the body must be a text");
  }
  return input;
}

const benchRouter = router({ echo: procedure.input(text).query(({ input }) => input) });

/** The type that clients are made from. */
export type BenchRouter = typeof benchRouter;

class TrpcClient implements BenchClient {
  readonly #socket: ReturnType<typeof createWSClient>;
  readonly #client: TRPCClient<BenchRouter>;

  constructor(port: number) {
    this.#socket = createWSClient({
      url: `ws://127.0.0.1:${port}`,
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    });
    this.#client = createTRPCClient({ links: [wsLink({ client: this.#socket })] });
  }

  async echo(body: Uint8Array): Promise<number> {
    return (await this.#client.echo.query(asText(body))).length;
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }
}

export const contender: Contender = {
  async serve(): Promise<number> {
    const { server, port } = await listenForWebSockets();
    applyWSSHandler({ wss: server, router: benchRouter });
    return port;
  },

  connect: (port) => new TrpcClient(port),
};
