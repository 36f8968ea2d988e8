// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import {
  encodeFrameHeader,
  encodeMetadataPayload,
  encodeSettings,
  firstByte,
  isControlKind,
  Kind,
  maxHeaderBytes,
} from "@ts-drpc/core/wire";

const noBytes = new Uint8Array(0);

/** What may be unusual about a frame. */
export interface FrameOptions {
  /** True for the last frame of its packet. Defaults to true. */
  readonly done?: boolean;

  /** Defaults to what its kind has by right. */
  readonly control?: boolean;

  /** The length that it announces. Defaults to that of its data. */
  readonly announces?: number;
}

/** Builds the bytes of a frame. */
export function frame(
  kind: number,
  stream: number,
  message: number,
  data: Uint8Array | string = noBytes,
  { done = true, control = isControlKind(kind), announces }: FrameOptions = {},
): Uint8Array {
  const body = typeof data === "string" ? Buffer.from(data) : data;
  const bytes = new Uint8Array(maxHeaderBytes + body.length);
  const at = encodeFrameHeader(firstByte(kind, done, control), stream, message, announces ?? body.length, bytes, 0);
  bytes.set(body, at);
  return bytes.subarray(0, at + body.length);
}

/** Builds a frame whose header is given byte by byte, for numbers that no encoder writes. */
export function rawFrame(kind: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return joinBytes([Uint8Array.of(firstByte(kind, true, false)), ...rest]);
}

/** Encodes a number of up to 64 bits, in a form of as many bytes as wanted. */
export function longVarint(value: bigint, bytes = 1): Uint8Array {
  const all: number[] = [];
  for (let rest = value; rest > 0n || all.length < bytes; rest >>= 7n) {
    all.push(Number(rest & 0x7fn) | 0x80);
  }
  all.push((all.pop() as number) & 0x7f);
  return Uint8Array.from(all);
}

/** Builds the frames that open a call. Its messages go on with id 2, or 3 behind metadata. */
export function invoke(stream: number, path: string, metadata?: Readonly<Record<string, string>>): Uint8Array {
  if (metadata === undefined) {
    return frame(Kind.Invoke, stream, 1, path);
  }
  const entries = encodeMetadataPayload(Object.entries(metadata));
  return joinBytes([frame(Kind.InvokeMetadata, stream, 1, entries), frame(Kind.Invoke, stream, 2, path)]);
}

/** Encodes a message of the echo service: its sentence, and the number of times for a Repeat. */
export function echoMessage(sentence: string, times?: number): Uint8Array {
  const text = Buffer.from(sentence);
  const count = times === undefined ? noBytes : joinBytes([Uint8Array.of(0x10), longVarint(BigInt(times))]);
  return joinBytes([Uint8Array.of(0x0a), longVarint(BigInt(text.length)), text, count]);
}

/** Builds a whole unary call. */
export function unaryCall(
  stream: number,
  path: string,
  request: Uint8Array = echoMessage("x"),
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const next = metadata === undefined ? 2 : 3;
  return joinBytes([
    invoke(stream, path, metadata),
    frame(Kind.Message, stream, next, request),
    frame(Kind.CloseSend, stream, next + 1),
  ]);
}

/** The settings of a peer that grants little, as a body. */
export function settingsBody(windowBytes: number): Uint8Array {
  return encodeSettings({
    version: 1,
    windowBytes,
    maxMessageBytes: 4 * 1024 * 1024,
    maxConcurrentStreams: 0,
    connectionWindowBytes: 0,
    compressions: 0,
  });
}

/** The metadata by which a peer announces itself as a ts-drpc peer. */
export function announcement(windowBytes: number): Record<string, string> {
  return { "ts-drpc": Buffer.from(settingsBody(windowBytes)).toString("base64url") };
}

/** Joins bytes. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Uint8Array.from(Buffer.concat(parts));
}
