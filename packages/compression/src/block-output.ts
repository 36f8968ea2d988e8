// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, DrpcError } from "@ts-drpc/core";
import { type BlockInput, malformed } from "./block-input.js";

// Below this, a loop is faster than a call that copies.
const shortCopyBytes = 32;

/** Throws a DrpcError if a message has more bytes than it may have. */
export function checkLength(bytes: number, maxMessageBytes: number): void {
  if (bytes > maxMessageBytes) {
    throw new DrpcError(
      `the message has ${bytes} bytes when decompressed, the limit maxMessageBytes is ${maxMessageBytes}`,
      Code.ResourceExhausted,
    );
  }
}

/** BlockOutput collects what a block holds: literal bytes, and copies of what is there already. */
export class BlockOutput {
  readonly #bytes: Uint8Array;
  #length = 0;

  /** Throws a DrpcError instead of allocating more than `maxMessageBytes`. */
  constructor(bytes: number, maxMessageBytes: number) {
    checkLength(bytes, maxMessageBytes);
    this.#bytes = new Uint8Array(bytes);
  }

  /** Appends the next bytes of the input. */
  literals(input: BlockInput, length: number): void {
    const from = input.skip(length);
    const to = this.#grow(length);
    if (length < shortCopyBytes) {
      for (let index = 0; index < length; index++) {
        this.#bytes[to + index] = input.bytes[from + index] as number;
      }
    } else {
      this.#bytes.set(input.bytes.subarray(from, from + length), to);
    }
  }

  /** Appends bytes that begin so far back in the output. They may overlap with themselves, and then repeat. */
  copy(offset: number, length: number): void {
    if (offset < 1 || offset > this.#length) {
      throw malformed(`it copies from ${offset} bytes back, after ${this.#length}`);
    }
    const to = this.#grow(length);
    const end = to + length;
    if (length < shortCopyBytes) {
      for (let at = to; at < end; at++) {
        this.#bytes[at] = this.#bytes[at - offset] as number;
      }
      return;
    }
    // All that is there from the source on has the period of the offset, so each round may copy twice as much.
    const from = to - offset;
    for (let at = to; at < end; ) {
      const part = Math.min(at - from, end - at);
      this.#bytes.copyWithin(at, from, from + part);
      at += part;
    }
  }

  /** Returns the message. Throws if it is shorter than was announced. */
  finish(): Uint8Array {
    if (this.#length !== this.#bytes.length) {
      throw malformed(`it holds ${this.#length} bytes, and says ${this.#bytes.length}`);
    }
    return this.#bytes;
  }

  #grow(length: number): number {
    const to = this.#length;
    if (length > this.#bytes.length - to) {
      throw malformed(`it holds more than the ${this.#bytes.length} bytes that it says`);
    }
    this.#length += length;
    return to;
  }
}
