// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What fits into the headers and trailers of HTTP, where other protocols have metadata and errors.

import { detailsInErrorStatus, encodeErrorStatus, errorPayload } from "../session/error-status.js";
import { Code } from "../vocabulary/code.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import { sizeWithin } from "../wire/error-payload.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { decodeText, encodeText } from "../wire/text.js";

// Somewhat above 64 KiB, and above 128 fields, Node.js gives up the whole connection of HTTP/2, with all calls on it.
const maxHeaderBytes = 60_000;
const maxHeaderValues = 100;

/** How much metadata may be beside an error: what {@link errorInHeaders} returns takes up to 18 KB as it travels. */
export const maxErrorHeaderBytes = 40_000;

// Peers take few headers: gRPC's own soft limit is 8 KiB.
const maxTextBytes = 4_096;
const maxStatusBytes = 4_096;

/** Returns by how much metadata is too large for headers, with the limits, or undefined if it is not. */
export function excessOfHeaders(entries: MetadataEntries, maxBytes: number = maxHeaderBytes): string | undefined {
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return bytes > maxBytes || entries.length > maxHeaderValues
    ? `${bytes} bytes and ${entries.length} values, the limits are ${maxBytes} and ${maxHeaderValues}`
    : undefined;
}

/** An error as it fits into headers. */
export interface ErrorInHeaders {
  /** One of the codes that have a name. */
  readonly code: Code;

  /** Well-formed, and 4 KiB of UTF-8 at most. */
  readonly text: string;

  /** A google.rpc.Status with the details, of 4 KiB at most, or undefined if there are none, or none fits. */
  readonly status: Uint8Array | undefined;
}

/**
 * Returns an error as it fits into headers: codes without a name become
 * Unknown, a text above 4 KiB is cut, and details are left out that do not fit
 * into 4 KiB with the text.
 */
export function errorInHeaders(error: DrpcError): ErrorInHeaders {
  const code = namedCode(error.code);
  const bytes = encodeText(error.rawMessage);
  const text = decodeText(bytes, 0, sizeWithin(bytes, maxTextBytes));
  if (error.details.length === 0) {
    return { code, text, status: undefined };
  }
  const status = encodeErrorStatus({ ...errorPayload(error), code: BigInt(code) }, maxStatusBytes);
  return { code, text, status: detailsInErrorStatus(status).length > 0 ? status : undefined };
}

/** Returns the code that other protocols know for a code: Unknown for one without a name. */
export function namedCode(code: number): Code {
  return code >= Code.Canceled && code <= Code.Unauthenticated ? (code as Code) : Code.Unknown;
}
