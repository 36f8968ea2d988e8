// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Returns bytes as base64: the standard alphabet with padding, or the one for URLs without. */
export function encodeBase64(bytes: Uint8Array, alphabet: "standard" | "url" = "standard"): string {
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  const text = btoa(binary);
  return alphabet === "standard" ? text : text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns the bytes of base64 of either alphabet, padded or not, or undefined if the text is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    // The only reason for which atob throws is a text that is no base64.
    return undefined;
  }
}
