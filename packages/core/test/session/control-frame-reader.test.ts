// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { ControlFrameReader } from "../../src/session/control-frame-reader.js";
import { decodeCredit, encodeCredit } from "../../src/session/flow-control.js";
import type { FrameReader } from "../../src/wire/frame-reader.js";
import { Kind } from "../../src/wire/kind.js";
import { PacketAssembler } from "../../src/wire/packet-assembler.js";
import { maxVarintBytes } from "../../src/wire/varint.js";
import { concat, cut, cutSizes, eachFragment, encode, type Frame, frame } from "../wire/frames.js";

interface ParseRecord {
  readonly op: string;
  readonly name: string;
  readonly hex: string;
  readonly delta: string | null;
  readonly dropped: boolean;
}

const records = golden<ParseRecord>("flow_control.json").filter(({ op }) => op === "parse");

function grant(data: Uint8Array, parts: Partial<Frame> = {}): Frame {
  return frame({ kind: Kind.WindowUpdate, messageId: 0, control: true, data, ...parts });
}

/** Returns the credit that a fragment completes. Stream 0 is the connection, for which the fork has no credit. */
function creditOf(reader: ControlFrameReader, fragment: FrameReader): number {
  const body = reader.receive(fragment, maxVarintBytes);
  return body === undefined || fragment.streamId === 0 ? 0 : decodeCredit(body);
}

/** Returns what a reader gave for each whole frame in the chunks. */
function credits(chunks: readonly Uint8Array[]): number[] {
  const reader = new ControlFrameReader();
  const given: number[] = [];
  eachFragment(chunks, (fragment) => {
    const credit = creditOf(reader, fragment);
    if (fragment.last) {
      given.push(credit);
    } else {
      assert.equal(credit, 0, "a grant counts when it is whole");
    }
  });
  return given;
}

describe("ControlFrameReader, with grants", () => {
  for (const { name, hex: bytes, delta, dropped } of records) {
    test(`reads what the fork reads: ${name}`, () => {
      const expected = [dropped ? 0 : Number(delta)];
      assert.deepEqual(credits([hex(bytes)]), expected);
      assert.deepEqual(credits(cut(hex(bytes), [1])), expected);
    });
  }

  test("drops a grant of ten bytes that is too long for a varint, and does not throw", () => {
    assert.deepEqual(credits([encode(grant(hex("ffffffffffffffffffff"))), encode(grant(hex("05")))]), [0, 5]);
  });

  test("does not mix a malformed grant with the next one", () => {
    const frames = [
      grant(hex("80")),
      grant(hex("05")),
      grant(hex("ff".repeat(30))),
      grant(hex("06")),
      grant(hex("")),
      grant(hex("07")),
    ];
    assert.deepEqual(credits(frames.map(encode)), [0, 5, 0, 6, 0, 7]);
  });

  test("reads grants that come between the frames of a packet, which they do not disturb", () => {
    const bytes = concat(
      [
        frame({ data: "he", done: false }),
        grant(encodeCredit(300)),
        frame({ data: "ll", done: false }),
        grant(encodeCredit(7), { messageId: 9 }),
        frame({ data: "o" }),
        frame({ messageId: 2, data: "next" }),
      ].map(encode),
    );
    fc.assert(
      fc.property(cutSizes, (sizes) => {
        const grants = new ControlFrameReader();
        const assembler = new PacketAssembler();
        const given: number[] = [];
        const bodies: string[] = [];
        eachFragment(cut(bytes, sizes), (fragment) => {
          if (fragment.kind === Kind.WindowUpdate) {
            given.push(creditOf(grants, fragment));
            return;
          }
          const body = assembler.accept(fragment, 100);
          bodies.push(...(body === undefined ? [] : [new TextDecoder().decode(body)]));
        });
        assert.deepEqual(bodies, ["hello", "next"]);
        assert.deepEqual(
          given.filter((credit) => credit > 0),
          [300, 7],
        );
      }),
    );
  });

  test("gives the same credit however the bytes are cut, and never throws", () => {
    const anyGrant = fc.record(
      {
        kind: fc.constant<number>(Kind.WindowUpdate),
        streamId: fc.nat(2),
        messageId: fc.nat(2),
        done: fc.boolean(),
        control: fc.boolean(),
        data: fc.oneof(fc.uint8Array({ maxLength: 14 }), fc.maxSafeNat().map(encodeCredit)),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(anyGrant, { maxLength: 6 }), cutSizes, (frames, sizes) => {
        const bytes = concat(frames.map(encode));
        const given = credits(cut(bytes, sizes));
        assert.deepEqual(given, credits([bytes]));
        for (const [index, { done, control, streamId }] of frames.entries()) {
          assert.ok(given[index] === 0 || (done && control && streamId !== 0));
        }
      }),
    );
  });
});
