// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The bytes that a peer sent break the protocol. The connection that they came
 * over cannot go on.
 */
export class ProtocolError extends Error {
  static {
    Object.defineProperty(ProtocolError.prototype, "name", { value: "ProtocolError", configurable: true });
  }
}
