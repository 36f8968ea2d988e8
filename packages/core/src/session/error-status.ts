// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";
import { encodeErrorDetail } from "../vocabulary/error-detail.js";
import { decodeErrorPayload, type ErrorPayload, encodeErrorPayload, type StatusDetail } from "../wire/error-payload.js";

/** The metadata key under which the details of an error travel, as in gRPC. */
export const statusDetailsKey = "grpc-status-details-bin";

/** Returns an error as it travels. */
export function errorPayload(error: DrpcError): ErrorPayload {
  return {
    // 2^64 wraps: a code that does not fit was made by the application, and any answer is better than none.
    code: BigInt.asUintN(64, error.wireCode),
    text: error.rawMessage,
    details: error.details.map(encodeErrorDetail),
  };
}

/** Returns an error as the bytes of a google.rpc.Status. Details that do not fit into 64 KiB are left out. */
export function encodeErrorStatus(error: ErrorPayload): Uint8Array {
  return encodeErrorPayload(error, "grpc-status").subarray(1);
}

/** Returns the details in the bytes of a google.rpc.Status, or none if it is malformed. */
export function detailsInErrorStatus(status: Uint8Array): readonly StatusDetail[] {
  const body = new Uint8Array(1 + status.length);
  body[0] = 1;
  body.set(status, 1);
  return decodeErrorPayload(body).details ?? [];
}
