// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Code says what kind of failure an RPC ended with. The values are gRPC's
 * status codes, which DRPC peers use by convention.
 *
 * The wire carries any unsigned 64-bit number, so a code that a peer sent may
 * be none of these.
 *
 * Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const Code = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

/** One of the sixteen codes that name a failure. */
export type Code = (typeof Code)[keyof typeof Code];

const names = new Map<number, string>(
  Object.entries(Code).map(([name, code]) => [code, name.replace(/(?<=.)[A-Z]/g, "_$&").toLowerCase()]),
);

/** Returns the name of a code as Connect spells it, `not_found`, or `code_1234` for a number without a name. */
export function codeName(code: number): string {
  return names.get(code) ?? `code_${code}`;
}
