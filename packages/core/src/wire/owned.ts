// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Returns bytes that can wait: a copy, if they would keep a much larger buffer alive for as long as they do. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 4 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
