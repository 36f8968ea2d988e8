// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import tls, { type TlsOptions } from "node:tls";
import { HostileServer } from "./hostile-server.js";
import { RawConnection } from "./raw-connection.js";
import { until } from "./until.js";
import type { Victim } from "./victim.js";
import type { VictimJournal } from "./victim-process.js";

/** Where the attacked server listens. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** The methods that are called, by kind. */
export interface Paths {
  readonly unary: string;
  readonly serverStreaming: string;
  readonly clientStreaming: string;
  readonly bidi: string;
}

/** The methods of the attacked server of ours. */
export const echoPaths: Paths = {
  unary: "/echo.v1.EchoService/Say",
  serverStreaming: "/echo.v1.EchoService/Repeat",
  clientStreaming: "/echo.v1.EchoService/Join",
  bidi: "/echo.v1.EchoService/Chat",
};

// Longer than a server needs to answer, and shorter than anybody wants to wait for each of many.
const watchMs = 3_000;

/** What a case is given: whom to attack, and how hard. All that it opens is closed after it. */
export class Field implements AsyncDisposable {
  readonly target: Target;
  readonly paths: Paths;

  /** True if it is to take a second or so. */
  readonly quick: boolean;

  readonly #victim: Victim | undefined;
  readonly #closing: (() => unknown)[] = [];

  constructor(target: Target, paths: Paths, quick: boolean, victim: Victim | undefined) {
    this.target = target;
    this.paths = paths;
    this.quick = quick;
    this.#victim = victim;
  }

  /** The attacked process. Only cases that are not for any server have one. */
  get victim(): Victim {
    if (this.#victim === undefined) {
      throw new Error("a case that is for any server must not look into it");
    }
    return this.#victim;
  }

  /** True if the attacked process is ours, and can be asked. */
  get inside(): boolean {
    return this.#victim !== undefined;
  }

  /** Returns how often to do something. */
  times(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  /** Connects to the server, and leaves the bytes to the case. */
  async connect(port: number = this.target.port): Promise<RawConnection> {
    const socket = net.connect({ host: this.target.host, port });
    const connection = new RawConnection(socket);
    this.#closing.push(() => socket.destroy());
    await once(socket, "connect");
    return connection;
  }

  /** Connects many times, and resolves with those that are open, however soon they are closed again. */
  async connectMany(count: number): Promise<RawConnection[]> {
    const connections: RawConnection[] = [];
    const atOnce = 100;
    for (let from = 0; from < count; from += atOnce) {
      const wave = Array.from({ length: Math.min(atOnce, count - from) }, () => this.connect());
      for (const settled of await Promise.allSettled(wave)) {
        if (settled.status === "fulfilled") {
          connections.push(settled.value);
        }
      }
    }
    return connections;
  }

  /** Starts a server that attacks its clients. */
  async hostileServer(
    accept: (connection: RawConnection) => void,
    options: { readonly port?: number; readonly security?: TlsOptions } = {},
  ): Promise<HostileServer> {
    const server = await HostileServer.start(accept, options);
    this.#closing.push(() => server.close());
    return server;
  }

  /** Connects with TLS. */
  async connectTls(options: tls.ConnectionOptions): Promise<tls.TLSSocket> {
    const socket = tls.connect({ host: this.target.host, port: this.victim.tlsPort, ...options });
    this.#closing.push(() => socket.destroy());
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    return socket;
  }

  /** Waits for a while for something that a server of somebody else may never do, and tells whether it did. */
  async watch(isSo: () => boolean): Promise<boolean> {
    return until("something that may never be", isSo, { timeoutMs: watchMs }).then(
      () => true,
      () => false,
    );
  }

  /** Waits until something is so of what the attacked server noted. */
  async untilNoted(
    what: string,
    isSo: (journal: VictimJournal) => boolean,
    timeoutMs?: number,
  ): Promise<VictimJournal> {
    let journal = await this.victim.journal();
    await until(
      `the server notes that ${what}`,
      async () => {
        journal = await this.victim.journal();
        return isSo(journal);
      },
      { timeoutMs },
    ).catch((reason: Error) => {
      const { started, settled, connections } = journal;
      assert.fail(
        `${reason.message}: ${started} handlers began, ${settled} settled, ${connections} connections are open`,
      );
    });
    return journal;
  }

  /** Closes something after the case. */
  after(close: () => unknown): void {
    this.#closing.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) {
      await close();
    }
  }
}
