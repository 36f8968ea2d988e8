// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata } from "@ts-drpc/core";
import { decodeEntries, encodeEntries, excessOfHeaders } from "@ts-drpc/core/adapter";

// They belong to HTTP, Connect, gRPC and gRPC-Web, which write and read them themselves.
const reservedKeys = new Set([
  "accept",
  "accept-encoding",
  "connect-accept-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "grpc-timeout",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-grpc-web",
  "x-user-agent",
]);

/**
 * Adds metadata to headers that go over HTTP. Throws a TypeError that names
 * the key if it is the protocol's own, or the headers cannot carry it or its
 * value, or the size if there are more than 100 values or 60,000 bytes, or
 * fewer if something else has to fit beside them.
 */
export function appendToHttpHeaders(headers: Headers, metadata: Metadata, maxBytes?: number): void {
  for (const key of metadata.keys()) {
    if (reservedKeys.has(key.toLowerCase())) {
      throw new TypeError(`metadata key "${key}" cannot go over HTTP: it is the protocol's own`);
    }
  }
  const excess = excessOfHeaders(encodeEntries(metadata, undefined, false), maxBytes);
  if (excess !== undefined) {
    throw new TypeError(`the metadata cannot go over HTTP: it has ${excess}`);
  }
  appendToHeaders(headers, metadata);
}

/**
 * Adds metadata to headers, with keys in lower case and bytes as base64.
 * Throws a TypeError that names the key if headers cannot carry it or its value.
 */
export function appendToHeaders(headers: Headers, metadata: Metadata): void {
  for (const [metadataKey, value] of encodeEntries(metadata, undefined, false)) {
    const key = metadataKey.toLowerCase();
    if (!/^[0-9a-z_.-]+$/.test(key)) {
      throw cannotBeHeader(metadataKey, "it is not made of 0-9a-z_.-");
    }
    if (key.endsWith("-bin")) {
      if (!metadataKey.endsWith("-bin")) {
        throw cannotBeHeader(metadataKey, "in lower case it is one of bytes");
      }
      appendHeader(headers, key, value.replaceAll("=", ""));
    } else if (!/^[ -~]*$/.test(value)) {
      throw cannotBeHeader(metadataKey, "its text is not printable ASCII");
    } else if (value !== value.trim() || (value === "" && headers.has(key))) {
      // HTTP would take the space away, or drop the header.
      throw cannotBeHeader(metadataKey, "its text begins or ends with a space, or the last of its texts is empty");
    } else if (key === "set-cookie") {
      for (const cookie of metadata.getAll(metadataKey)) {
        headers.append(key, String(cookie));
      }
    } else {
      appendHeader(headers, key, value);
    }
  }
}

/** Adds a value to headers. Bytes are joined without the space behind which an empty value would be lost. */
export function appendHeader(headers: Headers, key: string, value: string): void {
  const before = key.endsWith("-bin") ? headers.get(key) : null;
  if (before === null) {
    headers.append(key, value);
  } else {
    headers.set(key, `${before},${value}`);
  }
}

function cannotBeHeader(key: string, why: string): TypeError {
  return new TypeError(`metadata key "${key}" cannot be a header: ${why}`);
}

/** Returns the entries of headers that came over HTTP, without what is the protocol's own. */
export function httpEntries(headers: Headers): [key: string, value: string][] {
  const entries: [string, string][] = [];
  headers.forEach((value, key) => {
    if (!reservedKeys.has(key)) {
      entries.push([key, value]);
    }
  });
  return entries;
}

/** Returns the metadata in headers. Values that headers have joined stay so, unless they are bytes. */
export function toMetadata(headers: Headers): Metadata {
  const entries: [string, string][] = [];
  headers.forEach((value, key) => {
    entries.push([key, value]);
  });
  return decodeEntries(entries);
}
