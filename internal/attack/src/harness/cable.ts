// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";

/** Which end of a {@link Cable} is meant. */
export type CableEnd = "client" | "server";

/**
 * A cable to another machine, which can be pulled: two network interfaces that are connected to each other, one of them in
 * a network namespace of its own. The server listens on {@link serverHost}, and the client runs in {@link namespace}.
 */
export class Cable implements Disposable {
  readonly namespace = `drpc${process.pid}`;
  readonly serverHost: string;
  readonly #serverInterface = `drpc${process.pid}s`;
  readonly #clientInterface = `drpc${process.pid}c`;

  /** Lays a cable. Throws an Error with what `ip` says if that cannot be. */
  constructor() {
    // RFC 2544 sets 198.18.0.0/15 apart for tests of networks, so that nothing else is reached by it.
    const network = `198.18.${(process.pid >> 6) & 0xff}`;
    const first = (process.pid & 0x3f) * 4;
    this.serverHost = `${network}.${first + 1}`;
    ip("netns", "add", this.namespace);
    try {
      const peer = ["peer", "name", this.#clientInterface, "netns", this.namespace];
      ip("link", "add", this.#serverInterface, "type", "veth", ...peer);
      ip("address", "add", `${this.serverHost}/30`, "dev", this.#serverInterface);
      this.#inNamespace("address", "add", `${network}.${first + 2}/30`, "dev", this.#clientInterface);
      this.plug("server");
      this.plug("client");
    } catch (reason) {
      this[Symbol.dispose]();
      throw reason;
    }
  }

  /** Says why there can be no cable here, or returns undefined if there can. */
  static missing(): string | undefined {
    if (process.platform !== "linux" || process.getuid?.() !== 0) {
      return "it needs Linux and root, for a network namespace";
    }
    try {
      new Cable()[Symbol.dispose]();
      return undefined;
    } catch (reason) {
      return `it needs a network namespace: ${(reason as Error).message}`;
    }
  }

  /** Pulls the cable at one end: nothing more goes through it in either direction, and nobody is told. */
  pull(end: CableEnd): void {
    this.#set(end, "down");
  }

  /** Plugs it in again. */
  plug(end: CableEnd): void {
    this.#set(end, "up");
  }

  [Symbol.dispose](): void {
    // An interface goes with its peer, and the namespace when the last process in it has ended.
    spawnSync("ip", ["link", "delete", this.#serverInterface]);
    spawnSync("ip", ["netns", "delete", this.namespace]);
  }

  #set(end: CableEnd, state: "up" | "down"): void {
    if (end === "server") {
      ip("link", "set", this.#serverInterface, state);
    } else {
      this.#inNamespace("link", "set", this.#clientInterface, state);
    }
  }

  #inNamespace(...parameters: string[]): void {
    ip("-netns", this.namespace, ...parameters);
  }
}

function ip(...parameters: string[]): void {
  const { status, stderr, error } = spawnSync("ip", parameters, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`ip ${parameters.join(" ")}: ${error?.message ?? stderr.trim()}`);
  }
}
