// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Returns bytes as grpc-js takes them, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
