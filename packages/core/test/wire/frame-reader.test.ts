// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { FrameReader } from "../../src/wire/frame-reader.js";
import { PacketTooLargeError } from "../../src/wire/packet-assembler.js";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import {
  concat,
  cut,
  cutSizes,
  eachFragment,
  encode,
  frame,
  frameLikeBytes,
  readFrames,
  readPackets,
} from "./frames.js";

interface ParseRecord {
  readonly op: string;
  readonly hex: string;
  readonly rest: string;
  readonly ok: boolean;
  readonly error: string;
  readonly frame?: { stream: string; message: string; kind: number; done: boolean; control: boolean; data?: string };
}

const records = golden<ParseRecord>("frames.json").filter(({ op }) => op === "parse");

describe("FrameReader against Go", () => {
  // Go reads all 64 bits. Here an id or a length from 2^53 on is refused, as no honest peer gets there.
  const beyond = new Map([
    ["0301ffffffffffffffffff7f00", "message id"],
    ["030101ffffffffffffffffff01", "data length"],
  ]);

  test("parses each vector in the same way, and leaves the same rest", () => {
    for (const record of records.filter(({ hex: bytes }) => !beyond.has(bytes))) {
      const reader = new FrameReader();
      reader.push(hex(record.hex));
      if (record.error !== "") {
        assert.throws(() => reader.next(), ProtocolError, record.hex);
        continue;
      }
      assert.equal(reader.next() && reader.last, record.ok, record.hex);
      if (record.frame !== undefined) {
        const { stream, message, kind, done, control, data = "" } = record.frame;
        assert.deepEqual(
          [reader.streamId, reader.messageId, reader.kind, reader.done, reader.control],
          [Number(stream), Number(message), kind, done, control],
        );
        assert.equal(toHex(reader.chunk.subarray(reader.start, reader.end)), data);
        assert.equal(toHex(reader.chunk.subarray(reader.end)), record.rest);
      }
    }
  });

  test("refuses ids and lengths from 2^53 on, and says which", () => {
    for (const [bytes, what] of beyond) {
      assert.ok(records.some((record) => record.hex === bytes));
      const { error } = readFrames([hex(bytes)]);
      assert.ok(error instanceof ProtocolError);
      assert.equal(error.message, `a frame's ${what} is above 2^53 - 1`);
    }
    const { error } = readFrames([hex("05808080808080801001")]);
    assert.equal(error, undefined, "an id of 2^53 in a header that is not whole yet");
    assert.match(String(readFrames([hex("0580808080808080100100")]).error), /stream id is above 2\^53 - 1/);
  });

  test("accepts the largest exact ids", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const { read, error } = readFrames([encode(frame({ streamId: most, messageId: most }))]);
    assert.equal(error, undefined);
    assert.deepEqual([read[0]?.streamId, read[0]?.messageId], [most, most]);
  });
});

describe("FrameReader", () => {
  test("tells of a frame as soon as its header is there, and then of each part of its data", () => {
    const seen: unknown[] = [];
    const reader = eachFragment([hex("05010103"), hex("61"), hex(""), hex("626305010200")], (fragment) => {
      const { messageId, first, last, frameBytes, start, end } = fragment;
      seen.push({ messageId, first, last, frameBytes, start, end });
    });
    assert.deepEqual(seen, [
      { messageId: 1, first: true, last: false, frameBytes: 3, start: 4, end: 4 },
      { messageId: 1, first: false, last: false, frameBytes: 3, start: 0, end: 1 },
      { messageId: 1, first: false, last: true, frameBytes: 3, start: 0, end: 2 },
      { messageId: 2, first: true, last: true, frameBytes: 0, start: 6, end: 6 },
    ]);
    assert.equal(reader.insideFrame, false);
  });

  test("hands out data where it lies, without a copy", () => {
    const chunk = hex("050101026869");
    eachFragment([chunk], (fragment) => {
      assert.equal(fragment.chunk, chunk);
      assert.deepEqual([fragment.start, fragment.end], [4, 6]);
    });
  });

  test("knows whether the bytes so far end inside a frame", () => {
    const bytes = concat([encode(frame({ data: "hello" })), encode(frame({ messageId: 300 }))]);
    const boundaries = new Set([0, 9, bytes.length]);
    for (let length = 0; length <= bytes.length; length++) {
      const reader = eachFragment([bytes.subarray(0, length)], () => {});
      assert.equal(reader.insideFrame, !boundaries.has(length), `after ${length} bytes`);
    }
  });

  test("goes on reading at the chunk after the one that was read to its end", () => {
    const reader = new FrameReader();
    assert.equal(reader.next(), false, "before the first chunk");
    reader.push(hex("0501"));
    assert.equal(reader.next(), false);
    assert.equal(reader.next(), false, "asked again");
    reader.push(hex("0100"));
    assert.equal(reader.next(), true);
    assert.deepEqual([reader.streamId, reader.messageId, reader.last], [1, 1, true]);
  });

  test("reads the longest header that there is, cut anywhere", () => {
    const header = hex(`05${"81808080808080808000".repeat(3)}78`);
    for (let at = 0; at <= header.length; at++) {
      const { read } = readFrames([header.subarray(0, at), header.subarray(at)]);
      assert.deepEqual(read, [frame({ data: "x" })]);
    }
  });
});

describe("FrameReader, whatever comes", () => {
  test("gives the same frames and the same error byte by byte and in one piece", () => {
    fc.assert(
      fc.property(frameLikeBytes, (bytes) => {
        assert.deepEqual(readFrames(cut(bytes, [1])), readFrames([bytes]));
      }),
    );
  });

  test("gives the same packets and the same error however the bytes are cut", () => {
    fc.assert(
      fc.property(frameLikeBytes, cutSizes, fc.integer({ min: 0, max: 60 }), (bytes, sizes, maxBytes) => {
        assert.deepEqual(readFrames(cut(bytes, sizes)), readFrames([bytes]));
        assert.deepEqual(readPackets(cut(bytes, sizes), maxBytes), readPackets([bytes], maxBytes));
      }),
    );
  });

  test("throws nothing but its own errors at random bytes, and comes to an end", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), frameLikeBytes), cutSizes, (bytes, sizes) => {
        const { read, error } = readPackets(cut(bytes, sizes), 100);
        assert.ok(
          error === undefined || error instanceof ProtocolError || error instanceof PacketTooLargeError,
          String(error),
        );
        assert.ok(read.length <= bytes.length / 4, "no packet comes from less than four bytes");
      }),
    );
  });
});
