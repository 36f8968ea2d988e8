// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ProtocolError } from "./protocol-error.js";

/** The longest varint: ten bytes of seven bits hold 64. */
export const maxVarintBytes = 10;

/** Returns how many bytes a value takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    size++;
  }
  return size;
}

/**
 * Writes a value in its shortest form and returns the offset behind it. The
 * value is an integer from 0 to 2^53 - 1.
 */
export function encodeVarint(value: number, target: Uint8Array, offset: number): number {
  let rest = value;
  let at = offset;
  while (rest > 0x7fffffff) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Reads varints one behind the other, without an object for each. */
export class VarintCursor {
  /**
   * The value read last. From 2^53 on it is not exact, but still not a safe
   * integer, so that `Number.isSafeInteger` tells.
   */
  value = 0;

  /**
   * Reads the varint at an offset, and returns the offset behind it, or -1 if
   * the bytes end inside it.
   *
   * Throws a {@link ProtocolError} if it is longer than ten bytes. Forms that
   * are longer than need be are accepted, and of the tenth byte only the
   * lowest bit counts, as in Go (docs/protocol.md#varints).
   */
  read(bytes: Uint8Array, offset: number, end: number): number {
    let at = offset;
    let value = 0;
    let scale = 1;
    for (let count = 1; at < end; count++) {
      const byte = bytes[at++] as number;
      if (count === maxVarintBytes) {
        if (byte > 0x7f) {
          throw new ProtocolError("a varint is longer than 10 bytes");
        }
        this.value = value + (byte & 1) * scale;
        return at;
      }
      if (byte < 0x80) {
        this.value = value + byte * scale;
        return at;
      }
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    return -1;
  }
}
