// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A message of the echo service. */
export interface Content {
  readonly sentence: string;
  readonly attachment: Uint8Array;
}

// Bytes that look alike at no two places within a window, so that what is lost or moved shows.
const patternBytes = 2_100_000;
const pattern = Uint8Array.from(
  { length: patternBytes },
  (_, at) => (at * 31 + (at >> 8) * 17 + (at >> 16) * 7) & 0xff,
);

/** Makes the message with a number, in one direction of a call. */
export function content(call: number, direction: "request" | "response", index: number, bytes: number): Content {
  const start = (call * 7 + index * 13) % (patternBytes - 2_000_000);
  return { sentence: `${call} ${direction} ${index}`, attachment: pattern.subarray(start, start + bytes) };
}

/** Says how a message differs from what it should be, or returns undefined if it does not. */
export function difference({ sentence, attachment }: Content, expected: Content): string | undefined {
  if (sentence !== expected.sentence) {
    return `got ${JSON.stringify(sentence)} in place of ${JSON.stringify(expected.sentence)}`;
  }
  if (!Buffer.from(attachment.buffer, attachment.byteOffset, attachment.length).equals(expected.attachment)) {
    return `${expected.sentence} has other bytes: ${attachment.length} of ${expected.attachment.length}`;
  }
  return undefined;
}
