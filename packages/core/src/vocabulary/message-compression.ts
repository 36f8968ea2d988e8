// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** The compressions that DRPC has a name for on the wire. */
export type MessageCompressionName = "snappy" | "minlz-fastest";

/** A way to make messages smaller on the wire. `@ts-drpc/compression` has one for each name. */
export interface MessageCompression {
  /** What it is called on the wire. */
  readonly name: MessageCompressionName;

  /** Returns the body that a message is sent as. It may be larger than the message. */
  compress(message: Uint8Array): Uint8Array;

  /**
   * Returns the message that a body holds, which may be a view of it.
   *
   * Throws a DrpcError with ResourceExhausted if it is larger than
   * `maxMessageBytes`, before memory is allocated for it, and anything else if
   * the body is malformed.
   */
  decompress(body: Uint8Array, maxMessageBytes: number): Uint8Array;
}
