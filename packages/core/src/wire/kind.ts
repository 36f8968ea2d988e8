// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Kind says what a packet is. From 55 up are the kinds that only ts-drpc peers
 * send, and only to each other (docs/protocol.md#extensions).
 */
export const Kind = {
  Invoke: 1,
  Message: 2,
  Error: 3,
  Cancel: 4,
  Close: 5,
  CloseSend: 6,
  InvokeMetadata: 7,
  WindowUpdate: 8,
  Loan: 55,
  Blocked: 56,
  Refused: 57,
  GoingAway: 58,
  Ping: 59,
  Trailer: 60,
  Header: 61,
  Settings: 62,
} as const;

/** One of the kinds that have a meaning. */
export type Kind = (typeof Kind)[keyof typeof Kind];

const names = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

/** Returns the name of a kind, or `kind 9` for one without. */
export function kindName(kind: number): string {
  return names.get(kind) ?? `kind ${kind}`;
}

/** Tells whether a kind has a meaning. */
export function isKnownKind(kind: number): kind is Kind {
  return names.has(kind);
}

/** Tells whether frames of this kind carry the control flag, which lets a peer that does not know the kind ignore it. */
export function isControlKind(kind: number): boolean {
  return kind === Kind.Cancel || kind === Kind.WindowUpdate || (kind >= Kind.Loan && kind <= Kind.Settings);
}
