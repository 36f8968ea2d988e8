// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Sees to it that the text of an error comes to a trailer of gRPC in the
 * spelling that gRPC has for it: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 *
 * Connect writes it by encodeURIComponent, which is allowed, but grpc-js reads
 * it by decodeURI, to which `%2F` is no slash.
 */
export function spellGrpcMessage(trailer: Headers): void {
  trailer.set = (name, value) => {
    Headers.prototype.set.call(trailer, name, name.toLowerCase() === "grpc-message" ? spelled(value) : value);
  };
}

/** Decodes all of a percent-encoded text that gRPC does not have encoded, but for spaces, which might be the last character. */
function spelled(encoded: string): string {
  return encoded.replace(/%(?!20|25|7F)[2-7][0-9A-F]/g, decodeURIComponent);
}
