// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ProtocolError } from "./protocol-error.js";
import { decodeText, encodeText } from "./text.js";
import { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "./varint.js";

/** Longer texts are cut: Go never splits an Error packet, and an oversized one ends its peer's connection. */
const maxBodyBytes = 65_536;

const codeTag = 0x08;
const messageTag = 0x12;
const detailsTag = 0x1a;
const anyTypeTag = 0x0a;
const anyValueTag = 0x12;
const typeUrlPrefix = "type.googleapis.com/";
const statusType = 1;
const unknownCode = 2;
const maxStatusCode = 0x7fff_ffffn;

/**
 * How the body of an Error packet is laid out (docs/protocol.md#errors):
 * `drpc` is a code of eight bytes and a text, `grpc-status` a byte that is 1
 * and the protobuf message google.rpc.Status.
 */
export type ErrorFormat = "drpc" | "grpc-status";

/** What an Error packet says: a code, 0 for none, and a text. */
export interface ErrorPayload {
  readonly code: bigint;
  readonly text: string;

  /** Messages that say more. The format `drpc` has no place for them. */
  readonly details?: readonly StatusDetail[] | undefined;
}

/** A message in a google.rpc.Status, with its full name. */
export interface StatusDetail {
  readonly type: string;
  readonly value: Uint8Array;
}

/**
 * Encodes the body of an Error packet, its text cut, and details that do not
 * fit left out, so that it has `maxBytes` at most, 64 KiB by default.
 */
export function encodeErrorPayload(
  { code, text, details = [] }: ErrorPayload,
  format: ErrorFormat = "drpc",
  maxBytes: number = maxBodyBytes,
): Uint8Array {
  const textBytes = encodeText(text);
  if (format === "grpc-status") {
    return encodeStatus(code, textBytes, details, maxBytes);
  }
  const body = new Uint8Array(8 + sizeWithin(textBytes, maxBytes - 8));
  new DataView(body.buffer).setBigUint64(0, code);
  body.set(textBytes.subarray(0, body.length - 8), 8);
  return body;
}

/**
 * Decodes the body of an Error packet, whichever format it has: as a code
 * of eight bytes, what begins like a status would be one above 2^56, which
 * nobody uses. A body without a whole code is all text, with a note, as in Go.
 */
export function decodeErrorPayload(body: Uint8Array): ErrorPayload {
  const status = body[0] === statusType ? statusOf(body) : undefined;
  if (status !== undefined) {
    return status;
  }
  if (body.length < 8) {
    return { code: 0n, text: `${decodeText(body)} (drpcwire note: invalid error data)` };
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { code: view.getBigUint64(0), text: decodeText(body.subarray(8)) };
}

function encodeStatus(
  code: bigint,
  textBytes: Uint8Array,
  details: readonly StatusDetail[],
  maxBytes: number,
): Uint8Array {
  // 0 is OK in gRPC, so that a Go client would take the error for none.
  const statusCode = code === 0n || code > maxStatusCode ? unknownCode : Number(code);
  const head = new Uint8Array(16);
  head[0] = statusType;
  head[1] = codeTag;
  let at = encodeVarint(statusCode, head, 2);
  const size = sizeWithin(textBytes, maxBytes - head.length);
  head[at++] = messageTag;
  at = encodeVarint(size, head, at);
  const parts = [head.subarray(0, at), textBytes.subarray(0, size)];
  let bytes = at + size;
  for (const detail of details) {
    const encoded = encodeDetail(detail);
    bytes += encoded.length;
    if (bytes > maxBytes) {
      break;
    }
    parts.push(encoded);
  }
  return concat(parts);
}

/** Encodes a detail as the field of a Status: a google.protobuf.Any. */
function encodeDetail({ type, value }: StatusDetail): Uint8Array {
  const url = encodeText(typeUrlPrefix + type);
  const any = concat([lengthDelimited(anyTypeTag, url), lengthDelimited(anyValueTag, value)]);
  return lengthDelimited(detailsTag, any);
}

function lengthDelimited(tag: number, data: Uint8Array): Uint8Array {
  const field = new Uint8Array(1 + varintSize(data.length) + data.length);
  field[0] = tag;
  field.set(data, encodeVarint(data.length, field, 1));
  return field;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Returns what a google.rpc.Status says, or undefined if the body is none. */
function statusOf(body: Uint8Array): ErrorPayload | undefined {
  try {
    return decodeStatus(body);
  } catch (reason) {
    // A number without an end shows that it is the other format, and must not end the connection.
    if (reason instanceof ProtocolError) {
      return undefined;
    }
    throw reason;
  }
}

/** Decodes a google.rpc.Status behind the byte that announces it, or returns undefined if there is none with a code. */
function decodeStatus(body: Uint8Array): ErrorPayload | undefined {
  const varint = new VarintCursor();
  let at = body[1] === codeTag ? varint.read(body, 2, Math.min(body.length, 2 + maxVarintBytes)) : -1;
  if (at < 0 || varint.value === 0) {
    return undefined;
  }
  // Go's codes have 32 bits, and those from 2^31 on travel as negative numbers of 64.
  const code = Number.isSafeInteger(varint.value) ? varint.value : lowest32Bits(body, 2);
  let text = "";
  const details: StatusDetail[] = [];
  while (at < body.length) {
    const tag = body[at];
    at = varint.read(body, at + 1, body.length);
    if (at < 0 || (tag !== messageTag && tag !== detailsTag) || varint.value > body.length - at) {
      return undefined;
    }
    if (tag === messageTag) {
      text = decodeText(body.subarray(at, at + varint.value));
    } else {
      details.push(...decodeDetail(body.subarray(at, at + varint.value)));
    }
    at += varint.value;
  }
  return { code: BigInt(code), text, ...(details.length === 0 ? {} : { details }) };
}

/** Decodes a google.protobuf.Any, or nothing if it is none. */
function decodeDetail(any: Uint8Array): StatusDetail[] {
  const varint = new VarintCursor();
  let type = "";
  let value = new Uint8Array(0);
  for (let at = 0; at < any.length; at += varint.value) {
    const tag = any[at];
    at = varint.read(any, at + 1, Math.min(any.length, at + 1 + maxVarintBytes));
    if (at < 0 || varint.value > any.length - at) {
      return [];
    }
    const data = any.subarray(at, at + varint.value);
    if (tag === anyTypeTag) {
      type = decodeText(data).replace(/^.*\//, "");
    } else if (tag === anyValueTag) {
      value = data.slice();
    }
  }
  return type === "" ? [] : [{ type, value }];
}

function lowest32Bits(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    value |= ((bytes[offset + index] as number) & 0x7f) << (7 * index);
  }
  return value >>> 0;
}

/** Returns how many of the bytes of a text fit, without a part of a character. */
export function sizeWithin(textBytes: Uint8Array, maxBytes: number): number {
  return textBytes.length <= maxBytes ? textBytes.length : characterStart(textBytes, maxBytes);
}

function characterStart(bytes: Uint8Array, end: number): number {
  let start = end;
  while (start > 0 && ((bytes[start] as number) & 0xc0) === 0x80) {
    start--;
  }
  return start;
}
