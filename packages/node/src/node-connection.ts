// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Socket } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";
import type { Connection, ConnectionReceiver, PeerInfo } from "@ts-drpc/core";
import { nodeError } from "./node-error.js";
import { show } from "./node-options.js";
import { notePeerTls } from "./peer-tls.js";

// A peer that takes nothing more must not keep a closed connection for ever.
const closeTimeoutMs = 5_000;

// A peer that sends without end must not keep others from being read: Node reads a socket up to 32 times in a row.
const maxReadTurnMs = 5;

// Of smaller chunks nothing more is waiting.
const largeChunkBytes = 16_384;

// A peer that takes everything at once must not keep this process from all else: timers, other sockets, what it says itself.
const maxTurnBytes = 262_144;

const keepaliveMs = 20_000;

/** Two streams that go to the same peer, such as the standard output and input of a child process. */
export interface StreamPair {
  readonly readable: Readable;
  readonly writable: Writable;
}

/**
 * Tells whom streams are connected to: the address and port of a socket, or
 * for all that has none, the fallback; and the certificate that TLS verified.
 */
export function peerOf(duplex: Duplex | StreamPair, fallback = "a stream"): PeerInfo {
  const address = duplex instanceof Socket ? socketAddress(duplex) : undefined;
  const peer: { address: string; authInfo?: unknown } = { address: address ?? fallback };
  const told = notePeerTls(peer, duplex);
  if (told?.authorized && told.certificate !== undefined) {
    peer.authInfo = told.certificate;
  }
  return peer;
}

/**
 * Makes a Connection of any Duplex, such as a socket, or of a pair of streams,
 * such as the pipes of a child process. The connection owns them from then on.
 * Throws a TypeError if they are no streams.
 */
export function createNodeConnection(duplex: Duplex | StreamPair, peer: PeerInfo = peerOf(duplex)): Connection {
  if (duplex instanceof Duplex) {
    return new NodeConnection(duplex, duplex, peer);
  }
  const { readable, writable } = Object(duplex) as StreamPair;
  if (typeof readable?.pause !== "function" || typeof writable?.write !== "function") {
    throw new TypeError(`duplex must be a Duplex, or { readable, writable }, got ${show(duplex)}`);
  }
  return new NodeConnection(readable, writable, peer);
}

class NodeConnection implements Connection {
  readonly peer: PeerInfo;
  readonly #readable: Readable;
  readonly #writable: Writable;
  #receiver: ConnectionReceiver | undefined;
  #error: Error | undefined;
  #ended = false;
  #turnBytes = 0;
  #resting = false;
  #paused = false;
  #readTurnStart: number | undefined;
  #readingRests = false;

  constructor(readable: Readable, writable: Writable, peer: PeerInfo) {
    this.#readable = readable;
    this.#writable = writable;
    this.peer = peer;
    // From the first moment on: an error that nobody listens to would end the process.
    for (const stream of new Set([readable, writable])) {
      stream.on("error", (error) => {
        this.#error ??= error;
        this.abort();
      });
    }
  }

  start(receiver: ConnectionReceiver): void {
    const readable = this.#readable;
    const writable = this.#writable;
    this.#receiver = receiver;
    if (writable instanceof Socket) {
      // Frames are gathered before they are written; waiting for more would only add delay.
      writable.setNoDelay(true);
      // For peers that cannot be asked for a sign of life: the operating system at least notices that a machine is gone.
      writable.setKeepAlive(true, keepaliveMs);
    }
    const end = (): void => {
      if (!this.#ended) {
        this.#ended = true;
        receiver.end(
          this.#error === undefined
            ? undefined
            : nodeError(`the connection to ${this.peer.address} was lost`, this.#error),
        );
      }
    };
    readable.on("data", (chunk: Uint8Array) => {
      this.#turnBytes = 0;
      if (chunk.length >= largeChunkBytes) {
        this.#beginReadTurn();
      }
      // Parts of a Buffer are Buffers, and making one takes several times as long.
      receiver.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      this.#checkReadTurn();
    });
    writable.on("drain", () => this.#rest());
    // Half-closed connections are not used: the end of either direction is the end of both.
    readable.on("end", () => {
      end();
      this.close();
    });
    readable.on("close", end);
    if (readable.destroyed || readable.readableEnded) {
      queueMicrotask(end);
    }
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writable.destroyed) {
      // Its end is on the way. If it seemed to take everything until then, whoever sends for ever would keep it away.
      return false;
    }
    if (this.#writable.writableEnded) {
      return true;
    }
    const roomy = this.#writable.write(bytes);
    this.#turnBytes += bytes.length;
    if (roomy && this.#turnBytes < maxTurnBytes) {
      return true;
    }
    if (roomy) {
      this.#rest();
    }
    return false;
  }

  endOfTurn(callback: () => void): void {
    process.nextTick(callback);
  }

  pause(): void {
    this.#paused = true;
    this.#readable.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#readingRests) {
      this.#readable.resume();
    }
  }

  close(): void {
    if (this.#readable.destroyed && this.#writable.destroyed) {
      return;
    }
    const timer = setTimeout(() => this.abort(), closeTimeoutMs).unref();
    this.#readable.once("close", () => clearTimeout(timer));
    if (this.#writable instanceof Socket) {
      // It is destroyed once the peer has ended it too. Before that, bytes that the peer has still sent would make
      // the operating system reset the connection, and throw away what the peer has not read yet.
      this.#writable.end();
    } else {
      this.#writable.end(() => this.abort());
    }
    // Whatever still arrives is read, so that the end is noticed.
    this.resume();
  }

  /** Notes since when this connection is being read without a pause for others. */
  #beginReadTurn(): void {
    if (this.#readTurnStart !== undefined) {
      return;
    }
    this.#readTurnStart = performance.now();
    setImmediate(() => {
      this.#readTurnStart = undefined;
      if (this.#readingRests) {
        this.#readingRests = false;
        if (!this.#paused) {
          this.#readable.resume();
        }
      }
    });
  }

  /** Goes on to read in a later turn, when everything else has had one, if this took long. */
  #checkReadTurn(): void {
    if (this.#readTurnStart !== undefined && performance.now() - this.#readTurnStart > maxReadTurnMs) {
      this.#readingRests = true;
      this.#readable.pause();
    }
  }

  /** Goes on to write in a later turn, when everything else has had one. */
  #rest(): void {
    if (this.#resting) {
      return;
    }
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#turnBytes = 0;
      if (!this.#writable.writableNeedDrain) {
        this.#receiver?.writable();
      }
    });
  }

  abort(): void {
    this.#readable.destroy();
    this.#writable.destroy();
  }
}

function socketAddress(socket: Socket): string | undefined {
  if (socket.remoteAddress === undefined) {
    return undefined;
  }
  const host = socket.remoteFamily === "IPv6" ? `[${socket.remoteAddress}]` : socket.remoteAddress;
  return `${host}:${socket.remotePort}`;
}
