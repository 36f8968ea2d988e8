// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeFrameHeader, firstByte, maxHeaderBytes } from "../wire/frame-header.js";
import { FrameReader } from "../wire/frame-reader.js";
import { Kind } from "../wire/kind.js";
import { ProtocolError } from "../wire/protocol-error.js";

/** Takes the WindowUpdate frames out of a flow of bytes. What is no DRPC passes as it is. */
export class CreditFilter {
  readonly #frames = new FrameReader();
  #broken = false;

  /** Returns what is left of a chunk. A header that is cut by its end comes with the next one. */
  filter(chunk: Uint8Array): Uint8Array {
    if (this.#broken) {
      return chunk;
    }
    const parts: Uint8Array[] = [];
    try {
      this.#frames.push(chunk);
      while (this.#frames.next()) {
        if (this.#frames.kind !== Kind.WindowUpdate) {
          parts.push(...fragmentBytes(this.#frames));
        }
      }
    } catch (reason) {
      if (!(reason instanceof ProtocolError)) {
        throw reason;
      }
      // Whoever receives it finds the same.
      this.#broken = true;
      return chunk;
    }
    return joined(parts);
  }
}

function fragmentBytes(fragment: FrameReader): Uint8Array[] {
  const { kind, done, control, streamId, messageId, frameBytes, first, chunk, start, end } = fragment;
  const data = chunk.subarray(start, end);
  if (!first) {
    return [data];
  }
  const header = new Uint8Array(maxHeaderBytes);
  const headerBytes = encodeFrameHeader(firstByte(kind, done, control), streamId, messageId, frameBytes, header, 0);
  return [header.subarray(0, headerBytes), data];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
