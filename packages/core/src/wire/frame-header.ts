// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeVarint, maxVarintBytes } from "./varint.js";

/** The bit of a frame's first byte that lets a peer ignore a kind it does not know. */
export const controlFlag = 0x80;

/** The bit of a frame's first byte that ends a packet. */
export const doneFlag = 0x01;

/** The longest header: the first byte and three varints. */
export const maxHeaderBytes: number = 1 + 3 * maxVarintBytes;

/** A packet is cut into frames of at most this many bytes of data, as Go does. */
export const maxFrameDataBytes = 65_536;

/** Returns the first byte of a frame. */
export function firstByte(kind: number, done: boolean, control: boolean): number {
  return (control ? controlFlag : 0) | (kind << 1) | (done ? doneFlag : 0);
}

/** Writes a frame's header and returns the offset behind it. */
export function encodeFrameHeader(
  first: number,
  streamId: number,
  messageId: number,
  dataBytes: number,
  target: Uint8Array,
  offset: number,
): number {
  target[offset] = first;
  let at = encodeVarint(streamId, target, offset + 1);
  at = encodeVarint(messageId, target, at);
  return encodeVarint(dataBytes, target, at);
}
