// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata } from "@grpc/grpc-js";
import type { MetadataEntries } from "@ts-drpc/core/adapter";
import { UnpaddedMetadata } from "./unpadded-metadata.js";

// They belong to HTTP and to gRPC, which write and read them themselves.
const reservedKeys = new Set([
  "connection",
  "content-length",
  "content-type",
  "date",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Returns metadata as grpc-js takes it, with keys in lower case. Throws a
 * TypeError that names the key if gRPC cannot carry it or its value.
 */
export function toGrpcMetadata(entries: MetadataEntries): Metadata {
  const metadata = new UnpaddedMetadata();
  for (const [entryKey, value] of entries) {
    const key = entryKey.toLowerCase();
    if (!/^[0-9a-z_.-]+$/.test(key) || isReserved(key)) {
      throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: it is reserved, or not made of 0-9a-z_.-`);
    }
    if (key.endsWith("-bin")) {
      metadata.add(key, Buffer.from(value, "base64"));
    } else if (/^[ -~]*$/.test(value)) {
      metadata.add(key, value);
    } else {
      throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: its text is not printable ASCII`);
    }
  }
  return metadata;
}

/** Returns the metadata that an application sent, without what is HTTP's and gRPC's own. */
export function fromGrpcMetadata(metadata: Metadata): MetadataEntries {
  const entries: [string, string][] = [];
  for (const key of Object.keys(metadata.getMap())) {
    if (isReserved(key)) {
      continue;
    }
    for (const value of metadata.get(key)) {
      entries.push([key, typeof value === "string" ? value : value.toString("base64")]);
    }
  }
  return entries;
}

function isReserved(key: string): boolean {
  return key.startsWith("grpc-") || reservedKeys.has(key);
}
