// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageCompression } from "@ts-drpc/core";
import { compress } from "snappyjs";
import { decodeMinlzBlock, maxMinlzBlockBytes } from "./minlz-block.js";
import { decodeSnappyBlock } from "./snappy-block.js";

/**
 * Takes messages that were compressed by MinLZ, `minlz-fastest` on the wire.
 * This implements the MinLZ specification v1.0: the decoder of blocks, with
 * the fallback to Snappy and S2.
 *
 * It sends Snappy blocks, which every receiver of MinLZ takes, and what does
 * not get smaller as a MinLZ block of literals.
 */
export const minlz: MessageCompression = {
  name: "minlz-fastest",

  compress(message) {
    const block = compress(message);
    // Two zeros: this is MinLZ, and all that follows is literal.
    const literalBytes = 2 + message.length;
    if (block.length <= literalBytes || message.length === 0 || message.length > maxMinlzBlockBytes) {
      return block;
    }
    const literal = new Uint8Array(literalBytes);
    literal.set(message, 2);
    return literal;
  },

  decompress: (body, maxMessageBytes) =>
    body[0] === 0 ? decodeMinlzBlock(body, maxMessageBytes) : decodeSnappyBlock(body, maxMessageBytes, "s2"),
};
