// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { DescMessage } from "@bufbuild/protobuf";
import { messageTypes } from "@ts-drpc-internal/protobuf-conformance";

interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

const types = new Map(messageTypes.map((desc) => [desc.typeName, desc]));

/**
 * Asserts that two messages cannot be told apart: the same values in the same
 * order, of the same prototypes.
 *
 * In one case ours has more: protobuf-es drops the unknown values of closed
 * enums from a message that has other unknown fields too.
 */
export function assertSameMessage(ours: unknown, theirs: unknown, path: string): void {
  if (typeof ours !== "object" || ours === null || typeof theirs !== "object" || theirs === null) {
    assert.ok(Object.is(ours, theirs), `${path}: ${String(ours)} for ${String(theirs)}`);
    return;
  }
  assert.equal(Object.getPrototypeOf(ours), Object.getPrototypeOf(theirs), `${path}: another prototype`);
  if (ours instanceof Uint8Array || Array.isArray(ours)) {
    assert.equal(Array.isArray(ours), Array.isArray(theirs), path);
  }
  if (ours instanceof Uint8Array) {
    assert.deepEqual(ours, theirs, path);
    return;
  }
  const keysOf = (message: object) => Object.keys(message).filter((key) => key !== "$unknown");
  assert.deepEqual(keysOf(ours), keysOf(theirs), `${path}: other keys`);
  for (const key of keysOf(ours)) {
    assertSameMessage(ours[key as never], theirs[key as never], `${path}.${key}`);
  }
  if ("$unknown" in ours || "$unknown" in theirs) {
    assertSameUnknown(ours as Message, theirs as Message, path);
  }
}

interface Message {
  readonly $typeName: string;
  readonly $unknown?: readonly UnknownField[];
}

function assertSameUnknown(ours: Message, theirs: Message, path: string): void {
  const desc = types.get(ours.$typeName) as DescMessage | undefined;
  const rest = [...(theirs.$unknown ?? [])];
  const more = (ours.$unknown ?? []).filter((field) => {
    const [expected] = rest;
    const same = expected?.no === field.no && expected.wireType === field.wireType && equalBytes(field, expected);
    if (same) {
      rest.shift();
    }
    return !same;
  });
  assert.equal(rest.length, 0, `${path}: lacks the unknown field ${rest[0]?.no}`);
  for (const { no } of more) {
    const closed = desc?.fields.some(({ number, enum: type }) => number === no && type?.open === false);
    assert.ok(closed, `${path}: has the unknown field ${no} in addition`);
  }
}

function equalBytes(a: UnknownField, b: UnknownField): boolean {
  return Buffer.compare(a.data, b.data) === 0;
}
