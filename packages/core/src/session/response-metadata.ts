// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { decodeBase64, encodeBase64 } from "../wire/base64.js";
import type { StatusDetail } from "../wire/error-payload.js";
import { Kind, kindName } from "../wire/kind.js";
import { decodeMetadataPayload, encodeMetadataPayload, type MetadataEntries } from "../wire/metadata-payload.js";
import { detailsInErrorStatus, encodeErrorStatus, errorPayload, statusDetailsKey } from "./error-status.js";
import type { SessionLimits } from "./session-options.js";
import type { StreamReceiver } from "./stream-host.js";

/** The kinds of packets that carry a server's metadata: ahead of its messages, or behind them. */
export type ResponseMetadataKind = typeof Kind.Header | typeof Kind.Trailer;

/** Returns what goes into a Trailer: a server's metadata, and the details of the error that follows. */
export function trailerEntries(metadata: MetadataEntries, error: DrpcError | undefined): MetadataEntries {
  if (error === undefined || error.details.length === 0) {
    return metadata;
  }
  return [...metadata, [statusDetailsKey, encodeBase64(encodeErrorStatus(errorPayload(error)))]];
}

/** Returns the details that a Trailer has of the error behind it. */
export function detailsInTrailer(trailer: MetadataEntries): readonly StatusDetail[] {
  const encoded = trailer.find(([key]) => key === statusDetailsKey)?.[1];
  const status = encoded === undefined ? undefined : decodeBase64(encoded);
  return status === undefined ? [] : detailsInErrorStatus(status);
}

/** Encodes a server's metadata. Throws a DrpcError if it is too large. */
export function encodeResponseMetadata(
  path: string,
  kind: ResponseMetadataKind,
  entries: MetadataEntries,
  { maxMetadataBytes }: SessionLimits,
): Uint8Array {
  const body = encodeMetadataPayload(entries);
  if (body.length > maxMetadataBytes) {
    const text = `a ${kindName(kind)} of ${body.length} bytes was not sent, the limit maxMetadataBytes is ${maxMetadataBytes}: raise it on both sides, or send less`;
    throw new DrpcError(`${path}: ${text}`, Code.ResourceExhausted);
  }
  return body;
}

/** Gives a server's metadata to the receiver, and returns it, or the error that the stream ends with if there is too much. */
export function receiveResponseMetadata(
  path: string,
  kind: ResponseMetadataKind,
  body: Uint8Array,
  { maxMetadataKeys }: SessionLimits,
  receiver: StreamReceiver,
): MetadataEntries | DrpcError {
  const entries = decodeMetadataPayload(body);
  if (entries.length > maxMetadataKeys) {
    const text = `the peer sent a ${kindName(kind)} of ${entries.length} entries, the limit maxMetadataKeys is ${maxMetadataKeys}: raise it, or send fewer`;
    return new DrpcError(`${path}: ${text}`, Code.ResourceExhausted);
  }
  if (kind === Kind.Header) {
    receiver.header?.(entries);
  } else {
    receiver.trailer?.(entries.filter(([key]) => key !== statusDetailsKey));
  }
  return entries;
}
