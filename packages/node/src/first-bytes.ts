// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { migrateHeader } from "@ts-drpc/core";

/** What a connection turns out to carry. `tls` is found out only outside of TLS. */
export type Protocol = "drpc" | "http1" | "http2" | "tls" | "other";

// RFC 9113, section 3.4. Its first four bytes are no method of HTTP/1.1.
const http2Preface = ascii("PRI * HTTP/2.0\r\n");

// RFC 8446, section 5.1: a record of the type handshake.
const tlsHandshake = 0x16;

// RFC 9110, section 9.1: a method is a token, and those in use are of capital letters.
const http1Method = /^[A-Z]{1,20}(?: |$)/;

/** Tells what a client speaks by what it sends first, or undefined if more has to come. */
export function protocolOf(bytes: Uint8Array): Protocol | undefined {
  if (bytes.length === 0) {
    return undefined;
  }
  if (begins(bytes, migrateHeader)) {
    return bytes.length < migrateHeader.length ? undefined : "drpc";
  }
  if (begins(bytes, http2Preface)) {
    return bytes.length < http2Preface.length ? undefined : "http2";
  }
  if (bytes[0] === tlsHandshake) {
    return "tls";
  }
  const text = String.fromCharCode(...bytes.subarray(0, 21));
  if (!http1Method.test(text)) {
    return "other";
  }
  return text.includes(" ") ? "http1" : undefined;
}

/** Tells whether one of the two begins with the other. */
function begins(bytes: Uint8Array, expected: Uint8Array): boolean {
  const length = Math.min(bytes.length, expected.length);
  for (let index = 0; index < length; index++) {
    if (bytes[index] !== expected[index]) {
      return false;
    }
  }
  return true;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
