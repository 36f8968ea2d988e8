// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { encodeFrameHeader, firstByte, maxHeaderBytes } from "../../src/wire/frame-header.js";
import { FrameReader } from "../../src/wire/frame-reader.js";
import { PacketAssembler } from "../../src/wire/packet-assembler.js";

/** A frame as the tests write it. */
export interface Frame {
  readonly kind: number;
  readonly streamId: number;
  readonly messageId: number;
  readonly done: boolean;
  readonly control: boolean;
  readonly data: Uint8Array;
}

/** A packet that was read. */
export interface Packet {
  readonly kind: number;
  readonly streamId: number;
  readonly messageId: number;
  readonly control: boolean;
  readonly body: Uint8Array;
}

/** What came of reading some chunks. */
export interface Outcome<T> {
  readonly read: T[];
  readonly error: unknown;
}

/** Builds a frame: a whole Message on stream 1, unless told otherwise. */
export function frame(parts: Partial<Omit<Frame, "data">> & { readonly data?: string | Uint8Array } = {}): Frame {
  const { data = "", ...rest } = parts;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return { kind: 2, streamId: 1, messageId: 1, done: true, control: false, ...rest, data: bytes };
}

/** Returns the bytes of a frame. */
export function encode({ kind, streamId, messageId, done, control, data }: Frame): Uint8Array {
  const bytes = new Uint8Array(maxHeaderBytes + data.length);
  const at = encodeFrameHeader(firstByte(kind, done, control), streamId, messageId, data.length, bytes, 0);
  bytes.set(data, at);
  return bytes.subarray(0, at + data.length);
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Cuts bytes into chunks of these sizes, over and over. At least one size is above zero. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** Calls back for each fragment of the chunks, and returns the reader as it is at the end of them. */
export function eachFragment(chunks: readonly Uint8Array[], callback: (fragment: FrameReader) => void): FrameReader {
  const reader = new FrameReader();
  for (const chunk of chunks) {
    reader.push(chunk);
    while (reader.next()) {
      callback(reader);
    }
  }
  return reader;
}

/** Reads the whole frames in the chunks, up to the first error. */
export function readFrames(chunks: readonly Uint8Array[]): Outcome<Frame> {
  const read: Frame[] = [];
  let data: Uint8Array[] = [];
  return outcome(read, () => {
    eachFragment(chunks, (fragment) => {
      data = fragment.first ? [] : data;
      data.push(fragment.chunk.slice(fragment.start, fragment.end));
      if (fragment.last) {
        const { kind, streamId, messageId, done, control } = fragment;
        read.push({ kind, streamId, messageId, done, control, data: concat(data) });
      }
    });
  });
}

/** Reads the packets in the chunks, with an assembler for each stream, up to the first error. */
export function readPackets(chunks: readonly Uint8Array[], maxBytes: number = 4 * 1024 * 1024): Outcome<Packet> {
  const read: Packet[] = [];
  const assemblers = new Map<number, PacketAssembler>();
  return outcome(read, () => {
    eachFragment(chunks, (fragment) => {
      const { kind, streamId, messageId, control } = fragment;
      const assembler = assemblers.get(streamId) ?? new PacketAssembler();
      assemblers.set(streamId, assembler);
      const body = assembler.accept(fragment, maxBytes);
      if (body !== undefined) {
        read.push({ kind, streamId, messageId, control, body: body.slice() });
      }
    });
  });
}

function outcome<T>(read: T[], run: () => void): Outcome<T> {
  try {
    run();
  } catch (error) {
    return { read, error };
  }
  return { read, error: undefined };
}

/** Sizes to cut with, at least one of them above zero. */
export const cutSizes: fc.Arbitrary<number[]> = fc
  .array(fc.integer({ min: 0, max: 24 }), { minLength: 1, maxLength: 6 })
  .filter((sizes) => sizes.some((size) => size > 0));

/** Frames of any kind on a few streams, their ids mostly in order. */
export const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.integer({ min: 0, max: 63 }),
    streamId: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
    messageId: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
    done: fc.boolean(),
    control: fc.boolean(),
    data: fc.uint8Array({ maxLength: 40 }),
  },
  { noNullPrototype: true },
);

/** Bytes that are often, but not always, made of frames. */
export const frameLikeBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: anyFrame.map(encode) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
    ),
    { maxLength: 8 },
  )
  .map(concat);
