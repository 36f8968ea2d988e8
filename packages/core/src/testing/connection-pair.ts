// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { wholeNumber } from "../session/session-options.js";
import type { Connection, ConnectionReceiver } from "../vocabulary/connection.js";
import { object } from "../vocabulary/option-values.js";

/** Options of a {@link createConnectionPair}. */
export interface ConnectionPairOptions {
  /** Cuts all that is written into chunks of at most this many bytes. Defaults to whole writes. */
  readonly chunkBytes?: number | undefined;

  /** How many written bytes may wait for the other side before `write` returns false. Defaults to 64 KiB. */
  readonly highWaterBytes?: number | undefined;
}

/** Two connections back to back: what one writes, the other receives. */
export interface ConnectionPair {
  readonly client: Connection;
  readonly server: Connection;
}

/**
 * Creates two connections back to back, in memory. Bytes are delivered in a
 * later turn, as on a real connection, and copied, so that nobody sees what
 * the other side does to them. Throws a RangeError that names the option if one has a wrong value.
 */
export function createConnectionPair(options: ConnectionPairOptions = {}): ConnectionPair {
  const { chunkBytes = 1, highWaterBytes = 1 } = object("options", options);
  bytes("chunkBytes", chunkBytes);
  bytes("highWaterBytes", highWaterBytes);
  const client = new PairedConnection("in-memory server", options);
  const server = new PairedConnection("in-memory client", options);
  client.other = server;
  server.other = client;
  return { client, server };
}

function bytes(name: string, value: number): void {
  if (value !== Number.POSITIVE_INFINITY) {
    wholeNumber(name, value);
  }
}

const noBytes = new Uint8Array(0);

// Places in the queue whose chunks were taken are given back when there are more than this many.
const maxTakenPlaces = 1_024;

class PairedConnection implements Connection {
  readonly peer: { readonly address: string };
  other: PairedConnection | undefined;

  readonly #chunkBytes: number;
  readonly #highWaterBytes: number;
  #receiver: ConnectionReceiver | undefined;
  #inbound: Uint8Array[] = [];
  #next = 0;
  #inboundBytes = 0;
  #otherWaits = false;
  #paused = false;
  #scheduled = false;
  #ending: { readonly reason: Error | undefined } | undefined;
  #ended = false;

  constructor(address: string, options: ConnectionPairOptions) {
    this.peer = { address };
    this.#chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY;
    this.#highWaterBytes = options.highWaterBytes ?? 65_536;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    return this.#ended || this.#ending !== undefined || (this.other?.receive(bytes.slice()) ?? true);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  close(): void {
    this.other?.endAfterAll(undefined);
    this.endAfterAll(undefined);
  }

  abort(): void {
    this.#inbound = [];
    this.#next = 0;
    this.other?.endAfterAll(undefined);
    this.endAfterAll(undefined);
  }

  /** The other side wrote. */
  receive(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      this.#inbound.push(bytes.subarray(at, Math.min(at + this.#chunkBytes, bytes.length)));
    }
    this.#inboundBytes += bytes.length;
    this.#schedule();
    this.#otherWaits = this.#inboundBytes >= this.#highWaterBytes;
    return !this.#otherWaits;
  }

  /** No more comes behind what is on its way. */
  endAfterAll(reason: Error | undefined): void {
    this.#ending ??= { reason };
    this.#schedule();
  }

  /** The other side has taken what was written. */
  tellWritable(): void {
    if (!this.#ended) {
      this.#receiver?.writable();
    }
  }

  #schedule(): void {
    if (!this.#scheduled && this.#receiver !== undefined && !this.#ended) {
      this.#scheduled = true;
      setTimeout(() => {
        this.#scheduled = false;
        this.#deliver();
      }, 0);
    }
  }

  #deliver(): void {
    while (!this.#paused && !this.#ended) {
      const chunk = this.#inbound[this.#next];
      if (chunk === undefined) {
        this.#inbound = [];
        this.#next = 0;
        break;
      }
      // Not taken out of the array: there may be very many, of a byte each.
      this.#inbound[this.#next++] = noBytes;
      this.#inboundBytes -= chunk.length;
      this.#receiver?.data(chunk);
    }
    if (this.#next > maxTakenPlaces) {
      this.#inbound = this.#inbound.slice(this.#next);
      this.#next = 0;
    }
    if (this.#otherWaits && this.#inboundBytes < this.#highWaterBytes) {
      this.#otherWaits = false;
      this.other?.tellWritable();
    }
    if (this.#ending !== undefined && this.#next === this.#inbound.length && !this.#ended) {
      this.#ended = true;
      this.#receiver?.end(this.#ending.reason);
    }
  }
}
