// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { encodeGoingAway } from "../wire/going-away-payload.js";
import { Kind } from "../wire/kind.js";
import type { Stream } from "./stream.js";

/** What a shutdown needs of its session. */
export interface ShutdownHost {
  readonly role: "client" | "server";

  /** True if the peer knows what a GoingAway frame is. */
  readonly knowsPeer: boolean;

  /** The highest id of a stream that the peer opened and this side looked at. */
  readonly lastStreamId: number;

  /** True while there are calls. */
  readonly busy: boolean;

  streams(): Stream[];
  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void;

  /** The peer takes no more calls. */
  peerDrains(): void;

  /** Ends the session. */
  close(reason: DrpcError): void;
}

/**
 * Shutdown ends a session in good order, whichever side wants it: no more
 * calls begin, those that the peer accepted go on to their end, and those that
 * it did not are told so (docs/protocol.md#goingaway).
 */
export class Shutdown {
  readonly #host: ShutdownHost;
  #reason: DrpcError | undefined;
  #peerGoes = false;
  #waiting: (() => void)[] = [];

  constructor(host: ShutdownHost) {
    this.#host = host;
  }

  /** Why no more calls are taken, or undefined if they are. */
  get reason(): DrpcError | undefined {
    return this.#reason;
  }

  /** Takes no more calls, and tells the peer if it knows what that means. */
  begin(reason: DrpcError): void {
    if (this.#reason === undefined) {
      this.#reason = reason;
      this.#tellPeer(reason);
    }
  }

  /** The peer has turned out to be a ts-drpc peer. One that was not told before is told now. */
  peerKnown(): void {
    if (this.#reason !== undefined) {
      this.#tellPeer(this.#reason);
    }
  }

  /** Resolves when no call is left. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.check();
    });
  }

  /** A call is over, so it may have been the last. */
  check(): void {
    if (this.#reason === undefined || this.#host.busy) {
      return;
    }
    this.end();
    if (this.#peerGoes) {
      this.#host.close(this.#reason);
    }
  }

  /** The session is over. */
  end(): void {
    for (const resolve of this.#waiting.splice(0)) {
      resolve();
    }
  }

  /** Returns what is to be told of the end of the session, which `error` brought about: undefined if nobody lost anything. */
  outcome(error: DrpcError, orderly: boolean): DrpcError | undefined {
    const reason = this.#reason;
    if (reason?.code === Code.ResourceExhausted) {
      return reason;
    }
    return (reason !== undefined || orderly) && this.#host.streams().length === 0 ? undefined : error;
  }

  /** The peer takes no more calls, and does not serve streams above this id. */
  peerGoingAway(lastStreamId: number, error: DrpcError): void {
    if (!this.#host.knowsPeer || this.#peerGoes) {
      return;
    }
    this.#peerGoes = true;
    this.#reason ??= error;
    this.#host.peerDrains();
    for (const stream of this.#host.streams()) {
      if (stream.id > lastStreamId) {
        this.peerRefused(stream, error);
      }
    }
    this.check();
  }

  /** The peer never started the call on this stream. */
  peerRefused(stream: Stream | undefined, error: DrpcError): void {
    if (this.#host.role === "client" && this.#host.knowsPeer) {
      const text = `${stream?.path}: ${error.rawMessage}`;
      stream?.refused(new DrpcError(text, error.code, { cause: error, notStarted: true }));
    }
  }

  #tellPeer(reason: DrpcError): void {
    const { knowsPeer, lastStreamId } = this.#host;
    if (knowsPeer) {
      const error = { code: reason.wireCode, text: reason.rawMessage };
      this.#host.sendPacket(Kind.GoingAway, 0, 0, encodeGoingAway({ lastStreamId, error }));
    }
  }
}
