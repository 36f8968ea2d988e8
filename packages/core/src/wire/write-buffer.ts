// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeFrameHeader, maxHeaderBytes } from "./frame-header.js";

// Measured before there was code: 16 KiB is three times slower for 4 KiB messages, 256 KiB is no faster.
const maxSlabBytes = 65_536;

// Ten thousand idle connections should not hold 64 KiB each.
const minSlabBytes = 2_048;

/**
 * Gathers the frames of all streams of a connection, so that many of them go
 * out in one write.
 *
 * Frames are written one behind the other into a slab. What `take` has handed
 * out is never written to again, so a connection may keep it until it is gone.
 */
export class WriteBuffer {
  #slab = new Uint8Array(minSlabBytes);
  #start = 0;
  #end = 0;
  readonly #full: Uint8Array[] = [];
  #bytes = 0;

  /** How many bytes wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends one frame, whose data is the given part of `data`. */
  append(first: number, streamId: number, messageId: number, data: Uint8Array, from: number, to: number): void {
    if (this.#slab.length - this.#end < maxHeaderBytes) {
      this.#nextSlab();
    }
    const dataBytes = to - from;
    const headerAt = this.#end;
    this.#end = encodeFrameHeader(first, streamId, messageId, dataBytes, this.#slab, headerAt);
    this.#bytes += this.#end - headerAt + dataBytes;
    let at = from;
    while (to - at > this.#slab.length - this.#end) {
      const room = this.#slab.length - this.#end;
      this.#slab.set(data.subarray(at, at + room), this.#end);
      this.#end += room;
      at += room;
      this.#nextSlab();
    }
    if (at < to) {
      this.#slab.set(from === 0 && to === data.length && at === 0 ? data : data.subarray(at, to), this.#end);
      this.#end += to - at;
    }
  }

  /** Takes the oldest bytes that wait, or returns undefined if there are none. */
  take(): Uint8Array | undefined {
    let bytes = this.#full.shift();
    if (bytes === undefined && this.#end > this.#start) {
      bytes = this.#slab.subarray(this.#start, this.#end);
      this.#start = this.#end;
    }
    this.#bytes -= bytes?.length ?? 0;
    return bytes;
  }

  /** Drops all that waits. */
  clear(): void {
    this.#full.length = 0;
    this.#start = this.#end;
    this.#bytes = 0;
  }

  #nextSlab(): void {
    if (this.#end > this.#start) {
      this.#full.push(this.#slab.subarray(this.#start, this.#end));
    }
    // A slab that was filled within one turn was too small.
    const grow = this.#start === 0 || this.#full.length > 1;
    this.#slab = new Uint8Array(grow ? Math.min(2 * this.#slab.length, maxSlabBytes) : this.#slab.length);
    this.#start = 0;
    this.#end = 0;
  }
}
