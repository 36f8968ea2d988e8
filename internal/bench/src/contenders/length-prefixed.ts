// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

const prefixBytes = 4;
const slabBytes = 65_536;

/** Writes what a turn of the event loop brings at once, each piece behind its length in four bytes. */
export class LengthPrefixedWriter {
  readonly #socket: Socket;
  #slab = Buffer.allocUnsafe(slabBytes);
  #start = 0;
  #end = 0;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Returns false if the socket has enough to send. */
  write(piece: Uint8Array): boolean {
    const size = prefixBytes + piece.length;
    if (this.#end + size > this.#slab.length) {
      this.#flush();
      this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, size));
      this.#start = 0;
      this.#end = 0;
    }
    this.#slab.writeUInt32BE(piece.length, this.#end);
    this.#slab.set(piece, this.#end + prefixBytes);
    this.#end += size;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
    return this.#socket.writableLength + this.#end - this.#start < slabBytes;
  }

  #flush(): void {
    if (this.#end > this.#start) {
      this.#socket.write(this.#slab.subarray(this.#start, this.#end));
      this.#start = this.#end;
    }
  }
}

/** Calls `onPiece` with each piece that arrives. */
export function readLengthPrefixed(socket: Socket, onPiece: (piece: Uint8Array) => void): void {
  let waiting: Buffer[] = [];
  let have = 0;
  let need = prefixBytes;
  socket.on("data", (chunk: Buffer) => {
    waiting.push(chunk);
    have += chunk.length;
    if (have < need) {
      return;
    }
    const bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting, have);
    let at = 0;
    need = prefixBytes;
    while (at + need <= bytes.length) {
      need = prefixBytes + bytes.readUInt32BE(at);
      if (at + need <= bytes.length) {
        onPiece(bytes.subarray(at + prefixBytes, at + need));
        at += need;
        need = prefixBytes;
      }
    }
    const rest = bytes.subarray(at);
    waiting = rest.length > 0 ? [rest] : [];
    have = rest.length;
  });
}
