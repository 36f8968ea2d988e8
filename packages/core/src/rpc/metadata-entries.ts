// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { isBinaryKey, Metadata, type MetadataValue } from "../vocabulary/metadata.js";
import { decodeBase64, encodeBase64 } from "../wire/base64.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { encodeText } from "../wire/text.js";
import { compressionKey } from "./call-compression.js";
import { type Deadline, formatTimeout, timeoutKey } from "./deadline.js";

const none: MetadataEntries = [];

/**
 * Returns metadata as it travels. Bytes become base64. A deadline adds what is
 * left of it, and a compression its name: a name that is already there says
 * how something else was compressed.
 *
 * A key with several values comes several times if `repeats` is true;
 * otherwise its values are joined, which is what gRPC says that they mean, as
 * Go peers take one value for a key.
 */
export function encodeEntries(
  metadata: Metadata | undefined,
  deadline: Deadline | undefined,
  repeats: boolean,
  compression?: string,
): MetadataEntries {
  if ((metadata === undefined || metadata.size === 0) && deadline === undefined && compression === undefined) {
    return none;
  }
  const entries: [string, string][] = [];
  if (metadata !== undefined) {
    for (const key of metadata.keys()) {
      if (key !== compressionKey) {
        pushEntries(entries, key, metadata.getAll(key), repeats);
      }
    }
  }
  if (deadline !== undefined && metadata?.has(timeoutKey) !== true) {
    entries.push([timeoutKey, formatTimeout(deadline.remainingMs)]);
  }
  if (compression !== undefined) {
    entries.push([compressionKey, compression]);
  }
  return entries;
}

/** Returns the metadata that travelled as these entries. */
export function decodeEntries(entries: MetadataEntries): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of entries) {
    if (isBinaryKey(key)) {
      for (const bytes of decodeBinary(value)) {
        metadata.append(key, bytes);
      }
    } else {
      metadata.append(key, value);
    }
  }
  return metadata;
}

function pushEntries(
  entries: [string, string][],
  key: string,
  values: readonly MetadataValue[],
  repeats: boolean,
): void {
  if (repeats || values.length === 1) {
    for (const value of values) {
      entries.push([key, encodeValue(value)]);
    }
  } else {
    entries.push([key, values.map(encodeValue).join(isBinaryKey(key) ? "," : ", ")]);
  }
}

function encodeValue(value: MetadataValue): string {
  return typeof value === "string" ? value : encodeBase64(value);
}

// Go applications do not have to follow gRPC's convention, and then the value is what they sent.
function decodeBinary(text: string): Uint8Array[] {
  const parts = text.split(",").map(decodeBase64);
  return parts.every((part) => part !== undefined) ? parts : [encodeText(text)];
}
