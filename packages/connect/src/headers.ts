// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeBinaryHeader } from "@connectrpc/connect";
import type { Metadata } from "@ts-drpc/core";
import { decodeEntries } from "@ts-drpc/core/adapter";

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
 * the key if it is the protocol's own, or the headers cannot carry it or its value.
 */
export function appendToHttpHeaders(headers: Headers, metadata: Metadata): void {
  for (const key of metadata.keys()) {
    if (reservedKeys.has(key.toLowerCase())) {
      throw new TypeError(`metadata key "${key}" cannot go over HTTP: it is the protocol's own`);
    }
  }
  appendToHeaders(headers, metadata);
}

/**
 * Adds metadata to headers, with keys in lower case and bytes as base64.
 * Throws a TypeError that names the key if headers cannot carry it or its value.
 */
export function appendToHeaders(headers: Headers, metadata: Metadata): void {
  for (const [metadataKey, value] of metadata) {
    const key = metadataKey.toLowerCase();
    if (!/^[0-9a-z_.-]+$/.test(key)) {
      throw new TypeError(`metadata key "${metadataKey}" cannot be a header: it is not made of 0-9a-z_.-`);
    }
    if (typeof value !== "string") {
      headers.append(key, encodeBinaryHeader(value));
    } else if (/^[ -~]*$/.test(value)) {
      headers.append(key, value);
    } else {
      throw new TypeError(`metadata key "${metadataKey}" cannot be a header: its text is not printable ASCII`);
    }
  }
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
