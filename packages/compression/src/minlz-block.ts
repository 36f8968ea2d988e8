// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { BlockInput, malformed } from "./block-input.js";
import { BlockOutput, checkLength } from "./block-output.js";

/** The largest message that a MinLZ block may hold. */
export const maxMinlzBlockBytes: number = 8 * 1024 * 1024;

/** How lengths are written: the least with its value, and from some value on with one to three bytes more. */
interface LengthForm {
  readonly least: number;
  readonly longFrom: number;
  readonly leastLong: number;
}

const literalLength: LengthForm = { least: 1, longFrom: 29, leastLong: 30 };
const copyLength: LengthForm = { least: 4, longFrom: 61, leastLong: 64 };

/**
 * Decodes a block that begins with the zero of MinLZ
 * (https://github.com/minio/minlz/blob/main/SPEC.md). What a block of literals
 * holds is a view of it.
 *
 * Throws a DrpcError with ResourceExhausted, before it allocates, if the block
 * says that it holds more than `maxMessageBytes`, and an Error if it is malformed.
 */
export function decodeMinlzBlock(block: Uint8Array, maxMessageBytes: number): Uint8Array {
  const input = new BlockInput(block);
  input.skip(1);
  if (input.left === 0) {
    return block.subarray(1);
  }
  const length = input.readLength();
  if (input.left === 0) {
    throw malformed("it ends too early");
  }
  if (length === 0) {
    checkLength(input.left, maxMessageBytes);
    return block.subarray(block.length - input.left);
  }
  const output = new BlockOutput(checkBlockLength(length, input.left, maxMessageBytes), maxMessageBytes);
  decodeElements(input, output);
  return output.finish();
}

function checkBlockLength(length: number, compressedBytes: number, maxMessageBytes: number): number {
  checkLength(length, maxMessageBytes);
  if (length > maxMinlzBlockBytes) {
    throw malformed(`it says that it holds ${length} bytes, and MinLZ allows ${maxMinlzBlockBytes}`);
  }
  if (length < compressedBytes) {
    throw malformed(`it says that it holds ${length} bytes, and has ${compressedBytes} of them compressed`);
  }
  return length;
}

function decodeElements(input: BlockInput, output: BlockOutput): void {
  // A repeat in front of any copy repeats the last byte.
  let offset = 1;
  while (input.left > 0) {
    const tag = input.readUint(1);
    const value = tag >> 2;
    switch (tag & 3) {
      case 0: {
        const length = readLength(input, value >> 1, literalLength);
        if ((value & 1) === 0) {
          output.literals(input, length);
        } else {
          output.copy(offset, length);
        }
        break;
      }
      case 1: {
        offset = 1 + ((input.readUint(1) << 2) | (value >> 4));
        const length = value & 15;
        output.copy(offset, length === 15 ? 18 + input.readUint(1) : 4 + length);
        break;
      }
      case 2:
        offset = 64 + input.readUint(2);
        output.copy(offset, readLength(input, value, copyLength));
        break;
      default:
        offset = (value & 1) === 0 ? fusedCopy2(input, output, value) : copy3(input, output, value);
    }
  }
}

function readLength(input: BlockInput, value: number, { least, longFrom, leastLong }: LengthForm): number {
  return value < longFrom ? least + value : leastLong + input.readUint((value - longFrom + 1) as 1 | 2 | 3);
}

/** One to four literals, and a short copy from up to 65,599 bytes back. Returns the offset. */
function fusedCopy2(input: BlockInput, output: BlockOutput, value: number): number {
  const offset = 64 + input.readUint(2);
  output.literals(input, 1 + ((value >> 1) & 3));
  output.copy(offset, 4 + (value >> 3));
  return offset;
}

/** Up to three literals, and a copy from up to 2,162,687 bytes back. Returns the offset. */
function copy3(input: BlockInput, output: BlockOutput, value: number): number {
  const bits = value | (input.readUint(3) << 6);
  const offset = 65_536 + (bits >>> 9);
  const length = readLength(input, (bits >> 3) & 63, copyLength);
  output.literals(input, (bits >> 1) & 3);
  output.copy(offset, length);
  return offset;
}
