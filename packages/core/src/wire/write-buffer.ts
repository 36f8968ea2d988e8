// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeFrameHeader, maxHeaderBytes } from "./frame-header.js";

// Measured before there was code: 16 KiB is three times slower for 4 KiB messages, 256 KiB is no faster.
const maxSlabBytes = 65_536;

// Ten thousand idle connections should not hold 64 KiB each.
const minSlabBytes = 2_048;

const noSlab = new Uint8Array(0);

/**
 * Gathers the frames of all streams of a connection, so that many of them go
 * out in one write.
 *
 * Frames are written one behind the other into a slab. What `take` has handed
 * out is never written to again, so a connection may keep it until it is gone.
 * Once all is taken, no more than a small slab is held. The next is as large as
 * what was gathered at a time of late wants it to be.
 */
export class WriteBuffer {
  #slab = new Uint8Array(minSlabBytes);
  #nextSlabBytes = minSlabBytes;

  // Since all was taken the last time.
  #gatheredBytes = 0;
  #start = 0;
  #end = 0;
  readonly #full: Uint8Array[] = [];
  #bytes = 0;

  /** How many bytes wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How much memory is held for what comes next, with what waits in the same slab. */
  get heldBytes(): number {
    return this.#slab.length;
  }

  /** Appends one frame, whose data is the given part of `data`. */
  append(first: number, streamId: number, messageId: number, data: Uint8Array, from: number, to: number): void {
    if (this.#slab.length - this.#end < maxHeaderBytes) {
      this.#nextSlab();
    }
    const dataBytes = to - from;
    const headerAt = this.#end;
    this.#end = encodeFrameHeader(first, streamId, messageId, dataBytes, this.#slab, headerAt);
    const frameBytes = this.#end - headerAt + dataBytes;
    this.#bytes += frameBytes;
    this.#gatheredBytes += frameBytes;
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
    if (bytes === undefined) {
      this.#rest();
      return undefined;
    }
    this.#bytes -= bytes.length;
    return bytes;
  }

  /** Drops all that waits. */
  clear(): void {
    this.#full.length = 0;
    this.#start = this.#end;
    this.#bytes = 0;
    this.#rest();
  }

  /** Nothing waits: gives up a slab that is large, and says how large the next one is. */
  #rest(): void {
    if (this.#gatheredBytes === 0) {
      return;
    }
    // Half as much as the last time at least, so that a small write among large ones does not cost them several slabs.
    let bytes = Math.max(minSlabBytes, this.#nextSlabBytes / 2);
    while (bytes < maxSlabBytes && bytes < 2 * this.#gatheredBytes) {
      bytes *= 2;
    }
    this.#nextSlabBytes = bytes;
    this.#gatheredBytes = 0;
    if (this.#slab.length > minSlabBytes) {
      this.#slab = noSlab;
      this.#start = 0;
      this.#end = 0;
    }
  }

  #nextSlab(): void {
    if (this.#end > this.#start) {
      this.#full.push(this.#slab.subarray(this.#start, this.#end));
    }
    // A slab that was filled within one turn was too small.
    if (this.#slab !== noSlab && (this.#start === 0 || this.#full.length > 1)) {
      this.#nextSlabBytes = Math.min(Math.max(2 * this.#slab.length, this.#nextSlabBytes), maxSlabBytes);
    }
    this.#slab = new Uint8Array(this.#nextSlabBytes);
    this.#start = 0;
    this.#end = 0;
  }
}
