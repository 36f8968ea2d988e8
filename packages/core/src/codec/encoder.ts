// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeUtf8Into } from "./utf8.js";

// One allocation serves many messages. What was handed out keeps its slab alive, and so it must not be large.
const defaultSlabBytes = 16_384;

// What mostly follows a large field: the tag and value of a small one.
const spareBytes = 1_024;

// Measured: up to here a call of TextEncoder costs more than a loop.
const maxLoopLength = 32;

/**
 * Writes messages one behind the other into slabs.
 *
 * What `finish` has returned is never written to again, so it can be kept
 * without a copy. What `borrow` has returned has to be used at once.
 */
export class Encoder {
  readonly #slabBytes: number;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #at = 0;

  constructor(slabBytes: number = defaultSlabBytes) {
    this.#slabBytes = slabBytes;
  }

  /** Begins a message. What was written and not finished is dropped. */
  begin(): void {
    this.#at = this.#start;
  }

  /** Ends the message and returns its bytes. */
  finish(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#start, this.#at);
    if (this.#bytes.length > this.#slabBytes) {
      // A small message must not keep what a large one took.
      this.#use(new Uint8Array(0), 0);
    }
    this.#start = this.#at;
    return bytes;
  }

  /**
   * Ends the message and returns its bytes, which the next one overwrites if
   * they are less than a quarter of their buffer. Others are as `finish` returns them.
   */
  borrow(): Uint8Array {
    if (4 * (this.#at - this.#start) >= this.#bytes.length) {
      return this.finish();
    }
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** Writes an integer from 0 to 2^32 - 1 as a varint. */
  uint32(value: number): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  /** Writes an integer of 64 bits, given as its halves, as a varint. */
  varint64(low: number, high: number): void {
    this.#reserve(10);
    const bytes = this.#bytes;
    let at = this.#at;
    let lowRest = low >>> 0;
    let highRest = high >>> 0;
    while (highRest > 0) {
      bytes[at++] = (lowRest & 0x7f) | 0x80;
      lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
      highRest >>>= 7;
    }
    while (lowRest > 0x7f) {
      bytes[at++] = (lowRest & 0x7f) | 0x80;
      lowRest >>>= 7;
    }
    bytes[at++] = lowRest;
    this.#at = at;
  }

  /** Writes the lowest 32 bits of an integer, the lowest byte first. */
  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#at, value, true);
    this.#at += 4;
  }

  float(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** Writes a text as UTF-8, behind its length. */
  text(value: string): void {
    const { length } = value;
    if (length <= maxLoopLength) {
      this.#reserve(length + 1);
      const bytes = this.#bytes;
      let at = this.#at;
      bytes[at++] = length;
      let index = 0;
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) {
          break;
        }
        bytes[at++] = code;
      }
      if (index === length) {
        this.#at = at;
        return;
      }
    }
    const fork = this.fork();
    let rest = value;
    // Most texts take a byte for each unit, and some take three.
    for (let read = 0; rest.length > 0; rest = rest.slice(read)) {
      this.#reserve(rest.length + 3);
      const result = encodeUtf8Into(rest, this.#bytes.subarray(this.#at));
      this.#at += result.written;
      read = result.read;
    }
    this.join(fork);
  }

  /** Writes bytes as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Begins something whose length goes before it, and returns what `join` wants to know. */
  fork(): number {
    this.#reserve(1);
    this.#at++;
    return this.#at - this.#start;
  }

  /** Ends what the fork began: writes its length before it. */
  join(fork: number): void {
    const length = this.#at - this.#start - fork;
    if (length > 0x7f) {
      // One byte was left for the length.
      const more = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
      this.#reserve(more);
      const from = this.#start + fork;
      this.#bytes.copyWithin(from + more, from, from + length);
    }
    this.#at = this.#start + fork - 1;
    this.uint32(length);
    this.#at += length;
  }

  #reserve(count: number): void {
    if (this.#bytes.length - this.#at < count) {
      this.#grow(count);
    }
  }

  /** Takes a new slab, and the unfinished message along. */
  #grow(count: number): void {
    const written = this.#at - this.#start;
    const needed = written + count;
    // Twice what there was, so that many small fields are copied seldom, and no more than there is for one large one.
    const bytes = new Uint8Array(
      needed > this.#slabBytes / 2 ? Math.max(2 * written, needed + spareBytes) : this.#slabBytes,
    );
    bytes.set(this.#bytes.subarray(this.#start, this.#at));
    this.#use(bytes, written);
  }

  #use(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#start = 0;
    this.#at = at;
  }
}
