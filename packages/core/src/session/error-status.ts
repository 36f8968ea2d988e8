// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";
import { type ErrorDetail, encodeErrorDetail } from "../vocabulary/error-detail.js";
import { decodeErrorPayload, type ErrorPayload, encodeErrorPayload, type StatusDetail } from "../wire/error-payload.js";

/** The metadata key under which the details of an error travel, as in gRPC. */
export const statusDetailsKey = "grpc-status-details-bin";

/** Returns an error as it travels. Details that cannot be encoded are left out. */
export function errorPayload(error: DrpcError): ErrorPayload {
  return {
    // 2^64 wraps: a code that does not fit was made by the application, and any answer is better than none.
    code: BigInt.asUintN(64, error.wireCode),
    text: error.rawMessage,
    details: error.details.flatMap(encodedDetail),
  };
}

function encodedDetail(detail: ErrorDetail): readonly StatusDetail[] {
  try {
    return [encodeErrorDetail(detail)];
  } catch {
    // The application made it, and the error itself must reach the peer.
    return [];
  }
}

/**
 * Returns an error as the bytes of a google.rpc.Status, 64 KiB at most by
 * default. What does not fit of its text and its details is left out.
 */
export function encodeErrorStatus(error: ErrorPayload, maxBytes: number = 64 * 1024 - 1): Uint8Array {
  return encodeErrorPayload(error, "grpc-status", 1 + maxBytes).subarray(1);
}

/** Returns the details in the bytes of a google.rpc.Status, or none if it is malformed. */
export function detailsInErrorStatus(status: Uint8Array): readonly StatusDetail[] {
  const body = new Uint8Array(1 + status.length);
  body[0] = 1;
  body.set(status, 1);
  return decodeErrorPayload(body).details ?? [];
}
