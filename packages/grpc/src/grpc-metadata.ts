// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata } from "@grpc/grpc-js";
import { excessOfHeaders, type MetadataEntries } from "@ts-drpc/core/adapter";
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

// Node.js lets these come once, and throws in the midst of grpc-js if they come twice: a call would never end.
const singleValueKeys = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-encoding",
  "content-language",
  "content-location",
  "content-md5",
  "content-range",
  "dnt",
  "etag",
  "expires",
  "from",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);

/**
 * Returns metadata as grpc-js takes it, with keys in lower case. Values of a
 * key that HTTP/2 allows once are joined, which is what gRPC says that several mean.
 *
 * Throws a TypeError that names the key if gRPC cannot carry it or its value,
 * or the size if there are more than 100 values or 60,000 bytes, or fewer if
 * something else has to fit beside them.
 */
export function toGrpcMetadata(entries: MetadataEntries, maxBytes?: number): Metadata {
  const metadata = new UnpaddedMetadata();
  const excess = excessOfHeaders(entries, maxBytes);
  if (excess !== undefined) {
    throw new TypeError(`the metadata cannot go over gRPC: it has ${excess}`);
  }
  for (const [entryKey, value] of entries) {
    const key = entryKey.toLowerCase();
    if (!/^[0-9a-z_.-]+$/.test(key) || isReserved(key)) {
      throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: it is reserved, or not made of 0-9a-z_.-`);
    }
    if (key.endsWith("-bin")) {
      if (!entryKey.endsWith("-bin")) {
        throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: in lower case it is one of bytes`);
      }
      metadata.add(key, Buffer.from(value, "base64"));
    } else if (!/^[ -~]*$/.test(value)) {
      throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: its text is not printable ASCII`);
    } else if (value !== value.trim()) {
      // grpc-js would drop it, all values of the key with it.
      throw new TypeError(`metadata key "${entryKey}" cannot go over gRPC: its text begins or ends with a space`);
    } else if (singleValueKeys.has(key)) {
      metadata.set(key, [...metadata.get(key), value].join(", "));
    } else {
      metadata.add(key, value);
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
