// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { Kind, kindName } from "../wire/kind.js";
import { PacketTooLargeError } from "../wire/packet-assembler.js";
import type { SessionLimits } from "./session-options.js";

/** Throws a DrpcError if a message is larger than `maxSendBytes`, the lower of this side's limit and the peer's. */
export function checkMessageSize(
  path: string,
  bytes: number,
  maxSendBytes: number,
  { maxMessageBytes, maxSendMessageBytes }: SessionLimits,
): void {
  if (bytes > maxSendBytes) {
    const option = maxSendMessageBytes === maxMessageBytes ? "maxMessageBytes" : "maxSendMessageBytes";
    const limit = maxSendBytes === maxSendMessageBytes ? `the limit ${option}` : "the peer's limit maxMessageBytes";
    throw new DrpcError(
      `${path}: a message of ${bytes} bytes was not sent, ${limit} is ${maxSendBytes}`,
      Code.ResourceExhausted,
    );
  }
}

/** Returns how large a packet of this kind may be. */
export function maxPacketBytes(kind: number, limits: SessionLimits): number {
  return kind === Kind.Message || kind === Kind.Error ? limits.maxMessageBytes : limits.maxMetadataBytes;
}

/** Says that the peer sent more than this side takes. */
export function peerMessageTooLarge(path: string, { kind, bytes, maxBytes }: PacketTooLargeError): DrpcError {
  const option = kind === Kind.Message || kind === Kind.Error ? "maxMessageBytes" : "maxMetadataBytes";
  return new DrpcError(
    `${path}: the peer sent a ${kindName(kind)} of at least ${bytes} bytes, the limit ${option} is ${maxBytes}`,
    Code.ResourceExhausted,
  );
}

/** Returns the reason if a packet was refused for its size. Throws it otherwise: the connection cannot go on. */
export function asTooLarge(reason: unknown): PacketTooLargeError {
  if (reason instanceof PacketTooLargeError) {
    return reason;
  }
  throw reason;
}
