// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { BlockInput } from "./block-input.js";
import { BlockOutput } from "./block-output.js";

/** Snappy, or S2, which gives a meaning to what would be a copy from nowhere: the offset of the copy before. */
export type SnappyDialect = "snappy" | "s2";

/**
 * Decodes a block (https://github.com/google/snappy/blob/main/format_description.txt).
 *
 * Throws a DrpcError with ResourceExhausted, before it allocates, if the block
 * says that it holds more than `maxMessageBytes`, and an Error if it is malformed.
 */
export function decodeSnappyBlock(block: Uint8Array, maxMessageBytes: number, dialect: SnappyDialect): Uint8Array {
  const input = new BlockInput(block);
  const output = new BlockOutput(input.readLength(), maxMessageBytes);
  let offset = 0;
  while (input.left > 0) {
    const tag = input.readUint(1);
    const value = tag >> 2;
    switch (tag & 3) {
      case 0:
        output.literals(input, 1 + (value < 60 ? value : input.readUint((value - 59) as 1 | 2 | 3 | 4)));
        break;
      case 1: {
        const near = ((tag & 0xe0) << 3) | input.readUint(1);
        if (near === 0 && dialect === "s2") {
          output.copy(offset, repeatLength(input, value & 7));
        } else {
          offset = near;
          output.copy(offset, 4 + (value & 7));
        }
        break;
      }
      case 2:
        offset = input.readUint(2);
        output.copy(offset, 1 + value);
        break;
      default:
        offset = input.readUint(4);
        output.copy(offset, 1 + value);
    }
  }
  return output.finish();
}

/** Reads how much of S2's last copy is repeated (https://pkg.go.dev/github.com/klauspost/compress/s2). */
function repeatLength(input: BlockInput, value: number): number {
  switch (value) {
    case 5:
      return 8 + input.readUint(1);
    case 6:
      return 260 + input.readUint(2);
    case 7:
      return 65_540 + input.readUint(3);
    default:
      return 4 + value;
  }
}
