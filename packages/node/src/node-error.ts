// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, DrpcError } from "@ts-drpc/core";

/** What the errors of sockets mean to a caller. All others are Unavailable: the connection is gone, or never was. */
const codes = new Map<string | undefined, Code>([
  ["EACCES", Code.PermissionDenied],
  ["EPERM", Code.PermissionDenied],
]);

const explanations = new Map<string | undefined, string>([
  ["ECONNREFUSED", "connection refused, nothing listens there"],
  ["ENOENT", "there is no such socket"],
  ["ENOTFOUND", "there is no host of this name"],
  ["EADDRINUSE", "the address is in use already"],
  ["EACCES", "permission denied"],
  ["ECONNRESET", "the peer reset the connection"],
  ["EPIPE", "the peer takes no more"],
]);

/** Turns the error of a socket or a server into a DrpcError that says what was tried, and with which address. */
export function nodeError(what: string, reason: unknown, notStarted = false): DrpcError {
  if (reason instanceof DrpcError) {
    return reason;
  }
  const code = reason instanceof Error ? (reason as NodeJS.ErrnoException).code : undefined;
  const known = explanations.get(code);
  const why = known === undefined ? textOf(reason) : `${known} (${code})`;
  return new DrpcError(`${what}: ${why}`, codes.get(code) ?? Code.Unavailable, { cause: reason, notStarted });
}

function textOf(reason: unknown): string {
  if (reason instanceof AggregateError && reason.message === "") {
    // A name with several addresses, and each of them failed.
    return reason.errors.map(textOf).join("; ");
  }
  if (!(reason instanceof Error)) {
    return String(reason);
  }
  // OpenSSL's own text is buried in numbers and names of its source files.
  const { reason: tlsReason, library } = reason as { readonly reason?: unknown; readonly library?: unknown };
  return typeof tlsReason === "string" && typeof library === "string" ? `${tlsReason} (${library})` : reason.message;
}
