// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata } from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import { detailsInErrorStatus, encodeErrorStatus, errorPayload, statusDetailsKey } from "@ts-drpc/core/adapter";

/** How a call ends, as grpc-js says it. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

// Both travel in the headers of HTTP/2, and peers take few of those: gRPC's own soft limit is 8 KiB.
const maxTextBytes = 4_096;
const maxDetailsBytes = 4_096;

/**
 * Returns an error as gRPC carries it. Codes without a name become Unknown, a
 * text above 4 KiB is cut, and details above 4 KiB are left out.
 */
export function toGrpcStatus(error: DrpcError, trailer: Metadata): GrpcStatus {
  const code = error.code >= Code.Canceled && error.code <= Code.Unauthenticated ? error.code : Code.Unknown;
  const metadata = trailer.clone();
  if (error.details.length > 0) {
    const status = encodeErrorStatus({ ...errorPayload(error), code: BigInt(code) });
    if (status.length <= maxDetailsBytes) {
      metadata.set(statusDetailsKey, Buffer.from(status));
    }
  }
  return { code, details: textWithin(error.rawMessage), metadata };
}

/** Returns the error that a call ended with. */
export function fromGrpcStatus(status: GrpcStatus): DrpcError {
  const { code, details, metadata } = status;
  if (typeof details !== "string") {
    // Its filters fail like that, for a message in a compression that was not announced.
    return new DrpcError("grpc-js could not read the response, and does not say why", Code.Internal);
  }
  const encoded = metadata.get(statusDetailsKey)[0];
  return new DrpcError(details, Number.isSafeInteger(code) && code > 0 ? code : Code.Unknown, {
    details: encoded instanceof Uint8Array ? detailsInErrorStatus(encoded) : [],
  });
}

/** Cuts a text, and repairs what is no Unicode, which grpc-js would throw at. */
function textWithin(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxTextBytes) {
    return bytes.toString();
  }
  let end = maxTextBytes;
  while (((bytes[end] as number) & 0xc0) === 0x80) {
    end--;
  }
  return bytes.toString("utf8", 0, end);
}
