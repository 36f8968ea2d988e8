// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ConnectError } from "@connectrpc/connect";
import { Code, DrpcError } from "@ts-drpc/core";
import { detailsInErrorStatus, errorInHeaders, namedCode } from "@ts-drpc/core/adapter";

/**
 * Returns an error as Connect has it. The codes are the same numbers; those
 * without a name become Unknown, as Connect knows no others.
 */
export function toConnectError(error: DrpcError, metadata?: Headers): ConnectError {
  const connectError = new ConnectError(error.rawMessage, namedCode(error.code), metadata, undefined, error);
  connectError.details = [...error.details];
  return connectError;
}

/**
 * Returns an error as Connect has it for a protocol in which its text and
 * details travel in trailers: a text above 4 KiB is cut, and details that do
 * not fit into 4 KiB with it are left out, as its code would be lost with them.
 */
export function toTrailerError(error: DrpcError): ConnectError {
  const { code, text, status } = errorInHeaders(error);
  const connectError = new ConnectError(text, code, undefined, undefined, error);
  connectError.details = status === undefined ? [] : [...detailsInErrorStatus(status)];
  return connectError;
}

/** Says that an error of Connect came from a peer, so that a server that passes it on keeps its metadata. */
export function markAsReceived(error: ConnectError): ConnectError {
  return Object.assign(error, { isWireError: true });
}

/** Tells whether an error of Connect came from a peer. Connect says so from 2.2 on. */
export function isReceived(error: ConnectError): boolean {
  return "isWireError" in error && error.isWireError === true;
}

/** Returns whatever Connect, or code for Connect, threw as ts-drpc has it. */
export function toDrpcError(reason: unknown): DrpcError {
  if (!(reason instanceof ConnectError)) {
    return DrpcError.from(reason);
  }
  const { code, rawMessage, details } = reason;
  // Connect takes the code of a peer's google.rpc.Status as it comes.
  return new DrpcError(rawMessage, Number.isSafeInteger(code) && code > 0 ? code : Code.Unknown, {
    cause: reason,
    details: details.map((detail) => ("desc" in detail ? detail : { type: detail.type, value: detail.value })),
  });
}
