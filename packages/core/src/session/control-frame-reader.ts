// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "../wire/frame-reader.js";

const noBytes = new Uint8Array(0);

/**
 * Reads frames that stand outside the order of message ids, and so may come
 * between the frames of a packet (docs/protocol.md#extensions). Each is one
 * frame, done and with the control flag.
 */
export class ControlFrameReader {
  #body: Uint8Array = noBytes;
  #bytes = 0;

  /**
   * Takes a fragment and returns the body of the frame that it completes.
   * Returns undefined if it completes none, and for a frame that has more than
   * `maxBytes` or is not of this form: such a frame is to be ignored.
   */
  receive(fragment: FrameReader, maxBytes: number): Uint8Array | undefined {
    const { frameBytes, first, last, chunk, start, end } = fragment;
    if (frameBytes > maxBytes || !fragment.control || !fragment.done) {
      return undefined;
    }
    if (first && last) {
      return chunk.subarray(start, end);
    }
    if (first) {
      this.#body = new Uint8Array(frameBytes);
      this.#bytes = 0;
    }
    this.#body.set(chunk.subarray(start, end), this.#bytes);
    this.#bytes += end - start;
    if (!last) {
      return undefined;
    }
    const body = this.#body;
    this.#body = noBytes;
    return body;
  }
}
