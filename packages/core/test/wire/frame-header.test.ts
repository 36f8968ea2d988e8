// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { encodeFrameHeader, firstByte, maxFrameDataBytes, maxHeaderBytes } from "../../src/wire/frame-header.js";
import { FrameReader } from "../../src/wire/frame-reader.js";
import { isControlKind, isKnownKind, Kind, kindName } from "../../src/wire/kind.js";
import { anyFrame, encode, frame } from "./frames.js";

interface EncodeRecord {
  readonly op: string;
  readonly hex: string;
  readonly frame: {
    readonly stream: string;
    readonly message: string;
    readonly kind: number;
    readonly done: boolean;
    readonly control: boolean;
    readonly data?: string;
  };
}

const records = golden<EncodeRecord>("frames.json").filter(({ op }) => op === "encode");

describe("encodeFrameHeader", () => {
  test("writes the same frames as Go", () => {
    // Ids from 2^53 on are no exact numbers. This side counts from 1 and never gets there.
    const beyond = records.filter(({ frame: { stream } }) => !Number.isSafeInteger(Number(stream)));
    assert.deepEqual(
      beyond.map(({ frame: { stream } }) => stream),
      ["9007199254740992", "18446744073709551615"],
    );
    for (const { frame: expected, hex: bytes } of records.filter((record) => !beyond.includes(record))) {
      const { kind, done, control, data = "" } = expected;
      const streamId = Number(expected.stream);
      const messageId = Number(expected.message);
      assert.equal(toHex(encode(frame({ kind, streamId, messageId, done, control, data: hex(data) }))), bytes);
    }
  });

  test("writes at the offset and touches nothing else", () => {
    const target = new Uint8Array(7).fill(0xee);
    assert.equal(encodeFrameHeader(0x05, 1, 2, 0, target, 2), 6);
    assert.equal(toHex(target), "eeee05010200ee");
  });

  test("never needs more than maxHeaderBytes", () => {
    const target = new Uint8Array(maxHeaderBytes);
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(encodeFrameHeader(0xff, most, most, most, target, 0), 25);
    assert.equal(maxHeaderBytes, 31);
  });

  test("is undone by the reader", () => {
    fc.assert(
      fc.property(anyFrame, (expected) => {
        const reader = new FrameReader();
        reader.push(encode(expected));
        assert.ok(reader.next());
        const { kind, streamId, messageId, done, control } = reader;
        assert.deepEqual(
          { kind, streamId, messageId, done, control, data: reader.chunk.slice(reader.start, reader.end) },
          expected,
        );
        assert.equal(reader.next(), false);
      }),
    );
  });
});

describe("firstByte", () => {
  test("is what the protocol says for every kind", () => {
    const bytes = Object.values(Kind).map((kind) => firstByte(kind, true, isControlKind(kind)));
    assert.equal(toHex(Uint8Array.from(bytes)), "03050789" + "0b0d0f91" + "eff1f3f5f7f9fbfd");
  });

  test("keeps kind, done and control apart", () => {
    assert.equal(firstByte(2, false, false), 0x04);
    assert.equal(firstByte(63, false, true), 0xfe);
    assert.equal(firstByte(0, true, true), 0x81);
  });
});

describe("Kind", () => {
  test("has the numbers of the protocol", () => {
    assert.deepEqual(Object.entries(Kind), [
      ["Invoke", 1],
      ["Message", 2],
      ["Error", 3],
      ["Cancel", 4],
      ["Close", 5],
      ["CloseSend", 6],
      ["InvokeMetadata", 7],
      ["WindowUpdate", 8],
      ["Loan", 55],
      ["Blocked", 56],
      ["Refused", 57],
      ["GoingAway", 58],
      ["Ping", 59],
      ["Trailer", 60],
      ["Header", 61],
      ["Settings", 62],
    ]);
  });

  test("is known exactly if it has a name", () => {
    for (let kind = 0; kind < 64; kind++) {
      const known = Object.values(Kind).some((each) => each === kind);
      assert.equal(isKnownKind(kind), known);
      assert.equal(kindName(kind) === `kind ${kind}`, !known);
    }
    assert.equal(kindName(Kind.CloseSend), "CloseSend");
  });

  test("carries the control flag only where a peer may ignore it, or the protocol demands it", () => {
    const control = Object.values(Kind).filter(isControlKind);
    assert.deepEqual(control, [
      Kind.Cancel,
      Kind.WindowUpdate,
      Kind.Loan,
      Kind.Blocked,
      Kind.Refused,
      Kind.GoingAway,
      Kind.Ping,
      Kind.Trailer,
      Kind.Header,
      Kind.Settings,
    ]);
  });

  test("goes into frames of 64 KiB", () => {
    assert.equal(maxFrameDataBytes, 65_536);
  });
});
