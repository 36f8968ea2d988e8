// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Returns a body of that size. It is text, as some contenders send JSON. */
export function bodyOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x61);
}

/** Throws if an answer has not the size of what was sent. */
export function checkSize(size: number, body: Uint8Array): void {
  if (size !== body.length) {
    throw new Error(`${body.length} bytes were sent, and ${size} came back`);
  }
}
