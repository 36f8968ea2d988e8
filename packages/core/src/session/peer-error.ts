// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { decodeErrorPayload, type StatusDetail } from "../wire/error-payload.js";

/** Turns the body of an Error packet, and the details in the Trailer before it, into the error that the call ends with. */
export function peerError(body: Uint8Array, trailerDetails: readonly StatusDetail[] = []): DrpcError {
  const { code, text, details = trailerDetails } = decodeErrorPayload(body);
  // The fork sends Unknown for errors without a code.
  const hasCode = code !== 0n && code !== BigInt(Code.Unknown) && code <= BigInt(Number.MAX_SAFE_INTEGER);
  // Of these two, which servers of every kind send without ever calling a handler, only the text tells.
  const unknownMethod = !hasCode && text.startsWith("protocol error: unknown rpc: ");
  const refused = text.startsWith("too many concurrent streams");
  const codeless = unknownMethod ? Code.Unimplemented : refused ? Code.ResourceExhausted : Code.Unknown;
  return new DrpcError(text, hasCode ? Number(code) : codeless, {
    wireCode: code,
    notStarted: unknownMethod || refused,
    details,
  });
}
