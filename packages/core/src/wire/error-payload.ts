// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { decodeText, encodeText } from "./text.js";

/** Longer texts are cut: Go never splits an Error packet, and an oversized one ends its peer's connection. */
const maxTextBytes: number = 65_536 - 8;

/** What an Error packet says: a code, 0 for none, and a text. */
export interface ErrorPayload {
  readonly code: bigint;
  readonly text: string;
}

/** Encodes the body of an Error packet: eight bytes of code, then the text, cut at 64 KiB. */
export function encodeErrorPayload({ code, text }: ErrorPayload): Uint8Array {
  const textBytes = encodeText(text);
  const size = textBytes.length <= maxTextBytes ? textBytes.length : characterStart(textBytes, maxTextBytes);
  const body = new Uint8Array(8 + size);
  new DataView(body.buffer).setBigUint64(0, code);
  body.set(textBytes.subarray(0, size), 8);
  return body;
}

/** Decodes the body of an Error packet. One without a whole code is all text, with a note, as in Go. */
export function decodeErrorPayload(body: Uint8Array): ErrorPayload {
  if (body.length < 8) {
    return { code: 0n, text: `${decodeText(body)} (drpcwire note: invalid error data)` };
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { code: view.getBigUint64(0), text: decodeText(body.subarray(8)) };
}

function characterStart(bytes: Uint8Array, end: number): number {
  let start = end;
  while (start > 0 && ((bytes[start] as number) & 0xc0) === 0x80) {
    start--;
  }
  return start;
}
