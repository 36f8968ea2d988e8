// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "../wire/frame-reader.js";
import { maxVarintBytes } from "../wire/varint.js";
import { decodeGrant } from "./flow-control.js";

/**
 * Reads WindowUpdate frames. They stand outside the order of message ids, so
 * they may come between the frames of a packet (docs/protocol.md#flow-control).
 */
export class GrantReader {
  readonly #body = new Uint8Array(maxVarintBytes);
  #bytes = 0;

  /** Takes a fragment and returns the credit that it completes. A malformed grant is 0, to be ignored. */
  receive(fragment: FrameReader): number {
    if (fragment.first) {
      this.#bytes = 0;
    }
    if (fragment.frameBytes > this.#body.length) {
      return 0;
    }
    this.#body.set(fragment.chunk.subarray(fragment.start, fragment.end), this.#bytes);
    this.#bytes += fragment.end - fragment.start;
    const whole = fragment.last && fragment.done && fragment.control && fragment.streamId !== 0;
    return whole ? decodeGrant(this.#body.subarray(0, this.#bytes)) : 0;
  }
}
