// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import net from "node:net";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { succeeded } from "./call-scenarios.js";
import { EchoHandler, type Msg, type MsgInit } from "./echo-handler.js";
import type { Harness } from "./harness.js";
import type { Scenario } from "./scenario.js";

// Each is a frame of a first byte, two ids and a length.
const threeFrames = 3 * 4;

/** Peers that cannot be asked for a sign of life. */
export const livenessScenarios: readonly Scenario[] = [
  {
    name: "a client that is not read from is sent frames that it does not know, and goes on when it is read",
    async serving(harness) {
      const relay = new Relay();
      const handler = new LateReader(relay.heard(threeFrames));
      const routes = (router: Parameters<typeof gopeer.registerEcho>[0]) => gopeer.registerEcho(router, handler);
      const { port } = await harness.server({ routes, keepaliveMs: 20 });
      const client = harness.goClient({ port: await relay.listen(harness, port) });
      for (const conn of ["one", "two"]) {
        const result = succeeded(await client.stream("ClientStream", { sends: 100, size: 65_536, conn }));
        if (result.n !== "100") {
          throw new Error(`the handler read ${result.n} of 100 messages`);
        }
      }
    },
  },
];

/** Reads nothing until it is told. */
class LateReader extends EchoHandler {
  readonly #told: Promise<void>;

  constructor(told: Promise<void>) {
    super();
    this.#told = told;
  }

  override async clientStream(requests: AsyncIterable<Msg>): Promise<MsgInit> {
    await this.#told;
    return super.clientStream(requests);
  }
}

/** Stands between a client and a server, and tells when the server has said something. */
class Relay {
  #bytes = 0;
  #listeners: (() => void)[] = [];

  /** Resolves when the server has sent this many bytes. */
  heard(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#listeners.push(() => this.#bytes >= bytes && resolve());
    });
  }

  async listen(harness: Harness, serverPort: number): Promise<number> {
    const sockets = new Set<net.Socket>();
    const relay = net.createServer((client) => {
      const server = net.connect(serverPort, "127.0.0.1");
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        sockets.add(from);
        from.on("error", () => to.destroy()).pipe(to);
      }
      server.on("data", (chunk) => {
        this.#bytes += chunk.length;
        for (const listener of this.#listeners) {
          listener();
        }
      });
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    harness.after(async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      relay.close();
      await once(relay, "close");
    });
    return (relay.address() as net.AddressInfo).port;
  }
}
