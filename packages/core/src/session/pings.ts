// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Kind } from "../wire/kind.js";
import type { Stream } from "./stream.js";

/** What pings need of their session. */
export interface PingHost {
  readonly role: "client" | "server";

  /** True once the peer has turned out to be a ts-drpc peer. */
  readonly knowsPeer: boolean;

  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void;
}

const noBytes = new Uint8Array(0);
const pingBytes = 9;
const question = 0;
const answer = 1;

/** Pings ask the peer for a sign of life, and give it one (docs/protocol.md#ping). */
export class Pings {
  readonly #host: PingHost;
  #asked = 0;

  constructor(host: PingHost) {
    this.#host = host;
  }

  /** Asks, and returns false if the peer is not known to answer. */
  ask(): boolean {
    if (!this.#host.knowsPeer) {
      return false;
    }
    const body = new Uint8Array(pingBytes);
    new DataView(body.buffer).setUint32(0, ++this.#asked);
    this.#host.sendPacket(Kind.Ping, 0, 0, body);
    return true;
  }

  /**
   * Sends a Ping in the stream's order of messages, which a peer that does not know it
   * ignores, as it does a Settings frame, and nobody answers.
   */
  probe(stream: Stream | undefined): void {
    if (stream !== undefined && this.#host.role === "server" && !this.#host.knowsPeer) {
      this.#host.sendPacket(Kind.Ping, stream.id, stream.takeMessageId(), noBytes);
    }
  }

  /** Answers what came in a Ping frame, if it is a question. */
  answer(body: Uint8Array): void {
    if (this.#host.knowsPeer && body.length === pingBytes && body[pingBytes - 1] === question) {
      const answered = body.slice();
      answered[pingBytes - 1] = answer;
      this.#host.sendPacket(Kind.Ping, 0, 0, answered);
    }
  }
}
