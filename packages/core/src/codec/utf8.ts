// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

const encoder = new TextEncoder();

/** Writes as much of a text as UTF-8 as there is room for. Half a surrogate pair becomes U+FFFD. */
export function encodeUtf8Into(text: string, target: Uint8Array): { readonly read: number; readonly written: number } {
  return encoder.encodeInto(text, target);
}

// A leading U+FEFF is text in protobuf, not a mark of the byte order.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

// Measured: up to here a call of TextDecoder costs more than a loop.
const maxLoopBytes = 24;

/**
 * Returns the text of UTF-8 bytes. Bytes that are none make it throw if it is
 * strict, and become U+FFFD if not.
 */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number, strict: boolean): string {
  if (to - from <= maxLoopBytes) {
    const codes = new Array<number>(to - from);
    let at = from;
    for (; at < to; at++) {
      const code = bytes[at] as number;
      if (code > 0x7f) {
        break;
      }
      codes[at - from] = code;
    }
    if (at === to) {
      return String.fromCharCode.apply(undefined, codes);
    }
  }
  return (strict ? strictDecoder : decoder).decode(bytes.subarray(from, to));
}
