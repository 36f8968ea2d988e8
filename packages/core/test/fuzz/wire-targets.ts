// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { golden, hex } from "@ts-drpc-internal/fixtures";
import { decodeCredit } from "../../src/session/flow-control.js";
import { decodeBase64, encodeBase64 } from "../../src/wire/base64.js";
import { decodeErrorPayload, encodeErrorPayload } from "../../src/wire/error-payload.js";
import { FrameReader } from "../../src/wire/frame-reader.js";
import { decodeMetadataPayload, encodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { PacketAssembler, PacketTooLargeError } from "../../src/wire/packet-assembler.js";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import { decodeSettings, encodeSettings } from "../../src/wire/settings-payload.js";
import { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "../../src/wire/varint.js";
import { cut, encode, frame, type Outcome, readFrames, readPackets } from "../wire/frames.js";
import { Random, seedOf } from "./random.js";
import type { FuzzTarget } from "./target.js";

const maxPacketBytes = 200;

/** The decoders. Each of them either gives a value that survives being encoded, or throws a ProtocolError. */
export const wireTargets: readonly FuzzTarget[] = [
  { name: "varint", seeds: () => goldenHex("varint.json"), run: readVarint },
  { name: "frames", seeds: () => goldenHex("frames.json", "reader.json"), run: readTheFrames },
  { name: "packets", seeds: () => [...goldenHex("reader.json", "transcripts.json"), inPieces()], run: assemblePackets },
  { name: "metadata", seeds: () => goldenHex("metadata.json"), run: readMetadata },
  { name: "errors", seeds: () => [...goldenHex("errors.json"), hex("01080512026e6f")], run: readError },
  { name: "settings", seeds: () => [hex("0801108080401880800220" + "8002")], run: readSettings },
  { name: "grants", seeds: () => [hex("808020"), hex("ffffffffffffffffff01")], run: readGrant },
  { name: "announcement", seeds: () => [Buffer.from("CAEQgIBA"), Buffer.from("_-8=")], run: readAnnouncement },
];

/** The bytes of all records of files of golden data. */
export function goldenHex(...files: readonly string[]): Uint8Array[] {
  return files
    .flatMap((file) => golden<{ readonly hex?: string }>(file))
    .flatMap((record) => (record.hex === undefined || record.hex === "" ? [] : [hex(record.hex)]))
    .filter(({ length }) => length <= 4_096);
}

/** A packet that is too large, in pieces that are not, between those of another. */
function inPieces(): Uint8Array {
  const piece = encode(frame({ done: false, data: new Uint8Array(45) }));
  const other = encode(frame({ streamId: 2, done: false, data: "other" }));
  return Buffer.concat([piece, other, piece, piece, other, piece, piece, encode(frame())]);
}

function readVarint(input: Uint8Array): void {
  const cursor = new VarintCursor();
  const end = orProtocolError(() => cursor.read(input, 0, input.length)) ?? -1;
  if (end < 0) {
    return;
  }
  assert.ok(end <= maxVarintBytes && end <= input.length);
  if (Number.isSafeInteger(cursor.value)) {
    const { value } = cursor;
    const bytes = new Uint8Array(varintSize(value));
    assert.equal(encodeVarint(value, bytes, 0), bytes.length);
    assert.equal(cursor.read(bytes, 0, bytes.length), bytes.length);
    assert.equal(cursor.value, value);
  }
}

function readTheFrames(input: Uint8Array): void {
  const whole = readFrames([input]);
  assertProtocolError(whole.error);
  assertSame(readFrames(randomCuts(input)), whole);
  const again = readFrames([Buffer.concat(whole.read.map(encode))]);
  assert.deepEqual(again, { read: whole.read, error: undefined });
}

function assemblePackets(input: Uint8Array): void {
  const whole = readPackets([input], maxPacketBytes);
  if (!(whole.error instanceof PacketTooLargeError)) {
    assertProtocolError(whole.error);
  }
  for (const { body } of whole.read) {
    assert.ok(body.length <= maxPacketBytes);
  }
  assertSame(readPackets(randomCuts(input), maxPacketBytes), whole);
  // What is held is bounded, whichever stream it is on.
  const reader = new FrameReader();
  const assembler = new PacketAssembler();
  orProtocolError(() => {
    for (const chunk of randomCuts(input)) {
      reader.push(chunk);
      while (reader.next()) {
        try {
          assembler.accept(reader, maxPacketBytes);
        } catch (reason) {
          if (!(reason instanceof PacketTooLargeError)) {
            throw reason;
          }
        }
        assert.ok(assembler.heldBytes <= 2 * maxPacketBytes);
      }
    }
  });
}

function readMetadata(input: Uint8Array): void {
  const entries = orProtocolError(() => decodeMetadataPayload(input));
  if (entries !== undefined) {
    assert.deepEqual(decodeMetadataPayload(encodeMetadataPayload(entries)), entries);
  }
}

function readError(input: Uint8Array): void {
  const { code, text } = decodeErrorPayload(input);
  assert.ok(code >= 0n && code < 2n ** 64n);
  assert.equal(decodeErrorPayload(encodeErrorPayload({ code, text }, "grpc-status")).text, text);
  // Codes above 2^56 may look like the other format.
  if (code < 2n ** 56n) {
    assert.deepEqual(decodeErrorPayload(encodeErrorPayload({ code, text })), { code, text });
  }
}

function readSettings(input: Uint8Array): void {
  const settings = orProtocolError(() => decodeSettings(input));
  if (settings !== undefined) {
    assert.ok(Object.values(settings).every((value) => Number.isSafeInteger(value) && value >= 0));
    assert.deepEqual(decodeSettings(encodeSettings(settings)), settings);
  }
}

function readGrant(input: Uint8Array): void {
  assert.ok(decodeCredit(input) >= 0);
}

function readAnnouncement(input: Uint8Array): void {
  const body = decodeBase64(Buffer.from(input).toString("latin1"));
  if (body !== undefined) {
    assert.deepEqual(decodeBase64(encodeBase64(body, "url")), body);
  }
}

/** Cuts an input into chunks, always the same for the same input. */
export function randomCuts(input: Uint8Array): Uint8Array[] {
  const random = new Random(seedOf(input));
  const longest = random.pick([1, 3, 40, 4_096]);
  return cut(
    input,
    Array.from({ length: 16 }, () => 1 + random.below(longest)),
  );
}

function assertSame<T>(actual: Outcome<T>, expected: Outcome<T>): void {
  assert.deepEqual(actual.read, expected.read);
  assert.equal(String(actual.error), String(expected.error));
}

function assertProtocolError(reason: unknown): void {
  assert.ok(reason === undefined || reason instanceof ProtocolError, String(reason));
}

function orProtocolError<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (reason) {
    assertProtocolError(reason);
    return undefined;
  }
}
