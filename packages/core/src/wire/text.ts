// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// Measured: up to here a loop costs less than a call of TextEncoder or TextDecoder.
const maxLoopLength = 32;

/** Returns the UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Returns how many bytes a text takes in UTF-8. Half a surrogate pair takes the three of U+FFFD. */
export function textSize(text: string): number {
  let size = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) {
      size += code > 0x7ff ? 2 : 1;
      if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) {
        // The pair is four bytes: as many as were counted for its first half, with its second half's one.
        at++;
      }
    }
  }
  return size;
}

/** Writes the UTF-8 bytes of a text, of which there are `size`, and returns the offset behind them. */
export function writeText(text: string, size: number, target: Uint8Array, offset: number): number {
  if (size === text.length && size <= maxLoopLength) {
    for (let at = 0; at < size; at++) {
      target[offset + at] = text.charCodeAt(at);
    }
  } else {
    encoder.encodeInto(text, target.subarray(offset, offset + size));
  }
  return offset + size;
}

/**
 * Returns the text of UTF-8 bytes, of all or of a part. Bytes that are none
 * become U+FFFD, as a peer's mistake in a text must not end a connection.
 */
export function decodeText(bytes: Uint8Array, from: number = 0, to: number = bytes.length): string {
  return (
    (to - from <= maxLoopLength ? decodeAscii(bytes, from, to) : undefined) ?? decoder.decode(bytes.subarray(from, to))
  );
}

/** A name that came before, and its bytes. */
interface RecentName {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const recentNames = new Array<RecentName | undefined>(256).fill(undefined);

/**
 * Returns the text of a name, such as a path or a key, in UTF-8. Those that came before are remembered, a few
 * hundred of them, as to compare a name costs less than to make it.
 */
export function decodeName(bytes: Uint8Array, from: number = 0, to: number = bytes.length): string {
  const length = to - from;
  if (length === 0 || length > maxLoopLength) {
    return decodeText(bytes, from, to);
  }
  const first = bytes[from] as number;
  const middle = bytes[from + (length >> 1)] as number;
  const last = bytes[to - 1] as number;
  const slot = (length + 7 * first + 13 * middle + 31 * last) & (recentNames.length - 1);
  const recent = recentNames[slot];
  if (recent !== undefined && recent.bytes.length === length) {
    let at = 0;
    while (at < length && recent.bytes[at] === bytes[from + at]) {
      at++;
    }
    if (at === length) {
      return recent.text;
    }
  }
  const text = decodeText(bytes, from, to);
  recentNames[slot] = { text, bytes: bytes.slice(from, to) };
  return text;
}

/** Returns the text of a few bytes, or undefined if not all of them are ASCII. */
function decodeAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  const codes = new Array<number>(to - from);
  for (let at = from; at < to; at++) {
    const code = bytes[at] as number;
    if (code > 0x7f) {
      return undefined;
    }
    codes[at - from] = code;
  }
  return String.fromCharCode.apply(undefined, codes);
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
