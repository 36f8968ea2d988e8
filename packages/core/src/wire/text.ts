// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Returns the text of UTF-8 bytes. Bytes that are none become U+FFFD, as a peer's mistake in a text must not end a connection. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
