// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageCompression } from "@ts-drpc/core";
import { compress } from "snappyjs";
import { decodeSnappyBlock } from "./snappy-block.js";

/**
 * Compresses messages as Snappy blocks, `snappy` on the wire: fast, and good at
 * messages that repeat themselves.
 */
export const snappy: MessageCompression = {
  name: "snappy",
  compress: (message) => compress(message),
  decompress: (body, maxMessageBytes) => decodeSnappyBlock(body, maxMessageBytes, "snappy"),
};
