// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata } from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import { detailsInErrorStatus, errorInHeaders, statusDetailsKey } from "@ts-drpc/core/adapter";
import { asBuffer } from "./as-buffer.js";

/** How a call ends, as grpc-js says it. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * Returns an error as gRPC carries it. Codes without a name become Unknown, a
 * text above 4 KiB is cut, and details that do not fit into 4 KiB with it are left out.
 */
export function toGrpcStatus(error: DrpcError, trailer: Metadata): GrpcStatus {
  const { code, text, status } = errorInHeaders(error);
  const metadata = trailer.clone();
  if (status !== undefined) {
    metadata.set(statusDetailsKey, asBuffer(status));
  }
  return { code, details: text, metadata };
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
