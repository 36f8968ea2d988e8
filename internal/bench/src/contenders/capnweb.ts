// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { newWebSocketRpcSession, type RpcStub, RpcTarget } from "capnweb";
import { WebSocket } from "ws";
import type { BenchClient, Contender } from "../contender.js";
import { asText, listenForWebSockets } from "./web-socket-server.js";

// capnweb asks it for the states of a socket, and Node 20 has none of its own.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

class BenchTarget extends RpcTarget {
  echo(body: string): string {
    return body;
  }
}

class CapnwebClient implements BenchClient {
  readonly #socket: WebSocket;
  readonly #stub: RpcStub<BenchTarget>;

  constructor(port: number) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
    this.#stub = newWebSocketRpcSession<BenchTarget>(this.#socket as unknown as globalThis.WebSocket);
  }

  async echo(body: Uint8Array): Promise<number> {
    return (await this.#stub.echo(asText(body))).length;
  }

  async close(): Promise<void> {
    this.#socket.close();
  }
}

export const contender: Contender = {
  async serve(): Promise<number> {
    const { server, port } = await listenForWebSockets();
    server.on("connection", (socket) => {
      newWebSocketRpcSession(socket as unknown as globalThis.WebSocket, new BenchTarget());
    });
    return port;
  },

  connect: (port) => new CapnwebClient(port),
};
