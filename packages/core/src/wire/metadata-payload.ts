// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ProtocolError } from "./protocol-error.js";
import { decodeText, encodeText } from "./text.js";
import { encodeVarint, VarintCursor, varintSize } from "./varint.js";

const entryTag = 0x0a;
const keyTag = 0x0a;
const valueTag = 0x12;

/** The entries of an InvokeMetadata packet, in order. A key may come several times. */
export type MetadataEntries = readonly (readonly [key: string, value: string])[];

/**
 * Encodes the body of an InvokeMetadata packet. Empty keys and values are
 * written out, which a protobuf library would not do and Go peers insist on
 * (docs/protocol.md#metadata).
 */
export function encodeMetadataPayload(entries: MetadataEntries): Uint8Array {
  const parts = entries.map(([key, value]) => encodeEntry(encodeText(key), encodeText(value)));
  const body = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** Decodes the body of an InvokeMetadata packet, as strictly as Go does. Throws a {@link ProtocolError} if it is malformed. */
export function decodeMetadataPayload(body: Uint8Array): [key: string, value: string][] {
  const entries: [string, string][] = [];
  const varint = new VarintCursor();

  const field = (tag: number, at: number, end: number): number => {
    if (body[at] !== tag || at >= end) {
      throw new ProtocolError("metadata is malformed");
    }
    const dataAt = varint.read(body, at + 1, end);
    if (dataAt < 0 || varint.value > end - dataAt) {
      throw new ProtocolError("metadata is cut short");
    }
    return dataAt;
  };

  let at = 0;
  while (at < body.length) {
    at = field(entryTag, at, body.length);
    const entryEnd = at + varint.value;
    const keyAt = field(keyTag, at, entryEnd);
    const keyEnd = keyAt + varint.value;
    const valueAt = field(valueTag, keyEnd, entryEnd);
    if (valueAt + varint.value !== entryEnd) {
      throw new ProtocolError("a metadata entry holds more than a key and a value");
    }
    entries.push([decodeText(body.subarray(keyAt, keyEnd)), decodeText(body.subarray(valueAt, entryEnd))]);
    at = entryEnd;
  }
  return entries;
}

function encodeEntry(key: Uint8Array, value: Uint8Array): Uint8Array {
  const size = 2 + varintSize(key.length) + key.length + varintSize(value.length) + value.length;
  const entry = new Uint8Array(1 + varintSize(size) + size);
  entry[0] = entryTag;
  let at = encodeVarint(size, entry, 1);
  entry[at++] = keyTag;
  at = encodeVarint(key.length, entry, at);
  entry.set(key, at);
  at += key.length;
  entry[at++] = valueTag;
  at = encodeVarint(value.length, entry, at);
  entry.set(value, at);
  return entry;
}
