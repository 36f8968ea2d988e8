// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Makes the error for a block that is not what its format says. */
export function malformed(what: string): Error {
  return new Error(`the block is malformed: ${what}`);
}

/** BlockInput reads a block from its first byte to its last. */
export class BlockInput {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** Reads a little-endian number of one to four bytes. Throws if there are not so many. */
  readUint(bytes: 1 | 2 | 3 | 4): number {
    const at = this.skip(bytes);
    let value = this.bytes[at] as number;
    for (let index = 1; index < bytes; index++) {
      value |= (this.bytes[at + index] as number) << (8 * index);
    }
    return value >>> 0;
  }

  /** Goes past some bytes, and returns where they begin. Throws if there are not so many. */
  skip(bytes: number): number {
    if (bytes > this.left) {
      throw malformed("it ends too early");
    }
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  /** Reads the length of what the block holds: a varint, of ten bytes at most, below 2^32. Throws if it is none. */
  readLength(): number {
    let length = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.readUint(1);
      length += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (length > 0xffff_ffff) {
          break;
        }
        return length;
      }
    }
    throw malformed("the length of its content is no number below 2^32");
  }
}
