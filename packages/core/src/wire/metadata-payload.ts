// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ProtocolError } from "./protocol-error.js";
import { decodeName, decodeText, textSize, writeText } from "./text.js";
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
  let bytes = 0;
  for (const [key, value] of entries) {
    const size = entrySize(textSize(key), textSize(value));
    bytes += 1 + varintSize(size) + size;
  }
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const [key, value] of entries) {
    // Measured again, as a list of the sizes costs more for texts as short as these mostly are.
    const keySize = textSize(key);
    const valueSize = textSize(value);
    body[at++] = entryTag;
    at = encodeVarint(entrySize(keySize, valueSize), body, at);
    body[at++] = keyTag;
    at = writeText(key, keySize, body, encodeVarint(keySize, body, at));
    body[at++] = valueTag;
    at = writeText(value, valueSize, body, encodeVarint(valueSize, body, at));
  }
  return body;
}

/** Decodes the body of an InvokeMetadata packet, as strictly as Go does. Throws a {@link ProtocolError} if it is malformed. */
export function decodeMetadataPayload(body: Uint8Array): [key: string, value: string][] {
  const entries: [string, string][] = [];
  let at = 0;
  while (at < body.length) {
    at = enterField(body, entryTag, at, body.length);
    const entryEnd = at + varint.value;
    const keyAt = enterField(body, keyTag, at, entryEnd);
    const keyEnd = keyAt + varint.value;
    const valueAt = enterField(body, valueTag, keyEnd, entryEnd);
    if (valueAt + varint.value !== entryEnd) {
      throw new ProtocolError("a metadata entry holds more than a key and a value");
    }
    entries.push([decodeName(body, keyAt, keyEnd), decodeText(body, valueAt, entryEnd)]);
    at = entryEnd;
  }
  return entries;
}

const varint = new VarintCursor();

/** Reads the tag and the length of a field, which is left in `varint`, and returns where its data begins. */
function enterField(body: Uint8Array, tag: number, at: number, end: number): number {
  if (body[at] !== tag || at >= end) {
    throw new ProtocolError("metadata is malformed");
  }
  const dataAt = varint.read(body, at + 1, end);
  if (dataAt < 0 || varint.value > end - dataAt) {
    throw new ProtocolError("metadata is cut short");
  }
  return dataAt;
}

function entrySize(keySize: number, valueSize: number): number {
  return 2 + varintSize(keySize) + keySize + varintSize(valueSize) + valueSize;
}
