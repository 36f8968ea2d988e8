// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { maxFrameDataBytes } from "../wire/frame-header.js";
import { Kind, kindName } from "../wire/kind.js";
import { PacketTooLargeError } from "../wire/packet-assembler.js";
import { ProtocolError } from "../wire/protocol-error.js";
import type { SessionLimits } from "./session-options.js";

/**
 * Throws a DrpcError if a message is larger than `maxSendBytes`, the lower of
 * this side's limit and the peer's. It says `notStarted` if nothing of the call was sent yet.
 */
export function checkMessageSize(
  path: string,
  bytes: number,
  maxSendBytes: number,
  { maxMessageBytes, maxSendMessageBytes }: SessionLimits,
  notStarted = false,
): void {
  if (bytes > maxSendBytes) {
    const option = maxSendMessageBytes === maxMessageBytes ? "maxMessageBytes" : "maxSendMessageBytes";
    const [limit, hint] =
      maxSendBytes === maxSendMessageBytes
        ? [`the limit ${option}`, "raise it on both sides, or send the message in parts"]
        : ["the peer's limit maxMessageBytes", "have it raised there, or send the message in parts"];
    const text = `${path}: a message of ${bytes} bytes was not sent, ${limit} is ${maxSendBytes}: ${hint}`;
    throw new DrpcError(text, Code.ResourceExhausted, { notStarted });
  }
}

/**
 * Throws a ProtocolError if a frame is larger than all that a connection may hold. No limit of a stream
 * helps then: all that comes would be data of this frame, for ever if it says so.
 */
export function checkFrameSize(bytes: number, { maxBufferedBytes }: SessionLimits): void {
  if (bytes > Math.max(maxBufferedBytes, maxFrameDataBytes)) {
    throw new ProtocolError(`a frame announces ${bytes} bytes, the limit maxBufferedBytes is ${maxBufferedBytes}`);
  }
}

/** Returns how large a packet of this kind may be. */
export function maxPacketBytes(kind: number, limits: SessionLimits): number {
  return kind === Kind.Message || kind === Kind.Error ? limits.maxMessageBytes : limits.maxMetadataBytes;
}

/** Says that the peer sent more than this side takes. */
export function peerMessageTooLarge(path: string, { kind, bytes, maxBytes }: PacketTooLargeError): DrpcError {
  const option = kind === Kind.Message || kind === Kind.Error ? "maxMessageBytes" : "maxMetadataBytes";
  const text = `${path}: the peer sent a ${kindName(kind)} of at least ${bytes} bytes, the limit ${option} is ${maxBytes}`;
  return new DrpcError(`${text}: raise it on the side that receives, or send less`, Code.ResourceExhausted);
}

/** Returns the reason if a packet was refused for its size. Throws it otherwise: the connection cannot go on. */
export function asTooLarge(reason: unknown): PacketTooLargeError {
  if (reason instanceof PacketTooLargeError) {
    return reason;
  }
  throw reason;
}
