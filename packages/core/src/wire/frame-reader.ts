// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { controlFlag, doneFlag, maxHeaderBytes } from "./frame-header.js";
import { ProtocolError } from "./protocol-error.js";
import { VarintCursor } from "./varint.js";

const noBytes = new Uint8Array(0);

/**
 * Cuts the chunks of a connection into frames, in place: it makes no object
 * and copies no data for a frame.
 *
 * Call `push` with a chunk, then `next` until it returns false. After each
 * true the fields tell of one fragment: a frame, or the part of a frame that
 * this chunk holds. A frame is told of as soon as its header is complete, so
 * that limits can be checked before its data has come.
 */
export class FrameReader {
  /** What the frame belongs to, and what it is. Valid until the next `next`. */
  kind = 0;
  control = false;
  done = false;
  streamId = 0;
  messageId = 0;

  /** How many bytes of data the whole frame has. */
  frameBytes = 0;

  /** True for the first fragment of a frame. */
  first = false;

  /** True for the last fragment of a frame. */
  last = false;

  /** Where the fragment's data lies: in `chunk`, from `start` to `end`. */
  chunk: Uint8Array = noBytes;
  start = 0;
  end = 0;

  readonly #varint = new VarintCursor();
  #at = 0;
  #missing = 0;

  // A header that is cut by the end of a chunk waits here for its rest.
  readonly #cutHeader = new Uint8Array(maxHeaderBytes);
  #cutHeaderBytes = 0;

  /** Takes the next chunk. The one before it has been read to its end. */
  push(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.#at = 0;
  }

  /** True if the bytes so far end inside a frame. */
  get insideFrame(): boolean {
    return this.#missing > 0 || this.#cutHeaderBytes > 0;
  }

  /** Goes to the next fragment, or returns false if the chunk has no more. Throws a {@link ProtocolError} on malformed bytes. */
  next(): boolean {
    const { chunk } = this;
    if (this.#missing > 0) {
      if (this.#at === chunk.length) {
        return false;
      }
      this.first = false;
    } else {
      if (!this.#readHeader(chunk)) {
        return false;
      }
      this.first = true;
      this.#missing = this.frameBytes;
    }
    const size = Math.min(this.#missing, chunk.length - this.#at);
    this.start = this.#at;
    this.#at += size;
    this.end = this.#at;
    this.#missing -= size;
    this.last = this.#missing === 0;
    return true;
  }

  #readHeader(chunk: Uint8Array): boolean {
    if (this.#cutHeaderBytes > 0) {
      return this.#continueHeader(chunk);
    }
    const at = this.#parseHeader(chunk, this.#at, chunk.length);
    if (at >= 0) {
      this.#at = at;
      return true;
    }
    while (this.#at < chunk.length) {
      this.#cutHeader[this.#cutHeaderBytes++] = chunk[this.#at++] as number;
    }
    return false;
  }

  #continueHeader(chunk: Uint8Array): boolean {
    while (this.#at < chunk.length) {
      this.#cutHeader[this.#cutHeaderBytes++] = chunk[this.#at++] as number;
      if (this.#parseHeader(this.#cutHeader, 0, this.#cutHeaderBytes) >= 0) {
        this.#cutHeaderBytes = 0;
        return true;
      }
    }
    return false;
  }

  #parseHeader(bytes: Uint8Array, offset: number, end: number): number {
    // The shortest frame has four bytes; that many at hand spare the first varint its own check.
    if (end - offset < 4) {
      return -1;
    }
    const varint = this.#varint;
    const streamAt = varint.read(bytes, offset + 1, end);
    const streamId = varint.value;
    const messageAt = streamAt < 0 ? -1 : varint.read(bytes, streamAt, end);
    const messageId = varint.value;
    const dataAt = messageAt < 0 ? -1 : varint.read(bytes, messageAt, end);
    if (dataAt < 0) {
      return -1;
    }
    const first = bytes[offset] as number;
    this.control = (first & controlFlag) !== 0;
    this.kind = (first >> 1) & 0x3f;
    this.done = (first & doneFlag) !== 0;
    this.streamId = safe(streamId, "stream id");
    this.messageId = safe(messageId, "message id");
    this.frameBytes = safe(varint.value, "data length");
    return dataAt;
  }
}

function safe(value: number, what: string): number {
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new ProtocolError(`a frame's ${what} is above 2^53 - 1`);
  }
  return value;
}
