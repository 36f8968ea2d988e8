// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { encodeErrorDetail } from "../vocabulary/error-detail.js";
import { decodeBase64, encodeBase64 } from "../wire/base64.js";
import { decodeErrorPayload, type ErrorPayload, encodeErrorPayload, type StatusDetail } from "../wire/error-payload.js";
import { Kind, kindName } from "../wire/kind.js";
import { decodeMetadataPayload, encodeMetadataPayload, type MetadataEntries } from "../wire/metadata-payload.js";
import type { SessionLimits } from "./session-options.js";
import type { StreamReceiver } from "./stream-host.js";

/** The kinds of packets that carry a server's metadata: ahead of its messages, or behind them. */
export type ResponseMetadataKind = typeof Kind.Header | typeof Kind.Trailer;

/** The key of a Trailer under which the details of the error behind it travel, as in gRPC. */
const statusDetailsKey = "grpc-status-details-bin";

/** Returns what goes into a Trailer: a server's metadata, and the details of the error that follows. */
export function trailerEntries(metadata: MetadataEntries, error: DrpcError | undefined): MetadataEntries {
  if (error === undefined || error.details.length === 0) {
    return metadata;
  }
  const status = encodeErrorPayload(errorPayload(error), "grpc-status").subarray(1);
  return [...metadata, [statusDetailsKey, encodeBase64(status)]];
}

/** Returns an error as it travels. */
export function errorPayload(error: DrpcError): ErrorPayload {
  return {
    // 2^64 wraps: a code that does not fit was made by the application, and any answer is better than none.
    code: BigInt.asUintN(64, error.wireCode),
    text: error.rawMessage,
    details: error.details.map(encodeErrorDetail),
  };
}

/** Returns the details that a Trailer has of the error behind it. */
export function detailsInTrailer(trailer: MetadataEntries): readonly StatusDetail[] {
  const encoded = trailer.find(([key]) => key === statusDetailsKey)?.[1];
  const status = encoded === undefined ? undefined : decodeBase64(encoded);
  if (status === undefined) {
    return [];
  }
  const body = new Uint8Array(1 + status.length);
  body[0] = 1;
  body.set(status, 1);
  return decodeErrorPayload(body).details ?? [];
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
    const text = `a ${kindName(kind)} of ${body.length} bytes was not sent, the limit maxMetadataBytes is ${maxMetadataBytes}`;
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
    const text = `the peer sent a ${kindName(kind)} of ${entries.length} entries, the limit maxMetadataKeys is ${maxMetadataKeys}`;
    return new DrpcError(`${path}: ${text}`, Code.ResourceExhausted);
  }
  if (kind === Kind.Header) {
    receiver.header?.(entries);
  } else {
    receiver.trailer?.(entries.filter(([key]) => key !== statusDetailsKey));
  }
  return entries;
}
