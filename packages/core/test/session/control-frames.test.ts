// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, type DrpcError } from "@ts-drpc/core";
import fc from "fast-check";
import { ControlFrames, isOutOfOrderKind } from "../../src/session/control-frames.js";
import { encodeErrorPayload } from "../../src/wire/error-payload.js";
import { encodeGoingAway } from "../../src/wire/going-away-payload.js";
import { Kind } from "../../src/wire/kind.js";
import { frame } from "../raw-peer.js";
import { cut, cutSizes, eachFragment } from "../wire/frames.js";

/** Feeds frames, cut into chunks of these sizes, and returns what was understood of them. */
function understood(bytes: readonly Uint8Array[], sizes: readonly number[] = [1_000_000]): string[] {
  const all: string[] = [];
  const show = (error: DrpcError): string =>
    `${error.code}/${error.wireCode} ${error.rawMessage}${error.notStarted ? ", not started" : ""}`;
  const frames = new ControlFrames({
    credit: {
      granted: (streamId, granted) => all.push(`grant ${streamId} ${granted}`),
      blocked: (streamId, cost) => all.push(`blocked ${streamId} ${cost}`),
      lent: (streamId, message) => all.push(`lent ${streamId} ${message}`),
    },
    pinged: (body) => all.push(`ping ${Buffer.from(body).toString("hex")}`),
    goingAway: (lastStreamId, error) => all.push(`goingAway ${lastStreamId} ${show(error)}`),
    refused: (streamId, error) => all.push(`refused ${streamId} ${show(error)}`),
  });
  eachFragment(cut(Uint8Array.from(Buffer.concat([...bytes])), sizes), (fragment) => frames.receive(fragment));
  return all;
}

const controlKinds = [Kind.WindowUpdate, Kind.Loan, Kind.Blocked, Kind.Refused, Kind.GoingAway, Kind.Ping];
const unavailable = { code: 14n, text: "bye" };
const goingAway = encodeGoingAway({ lastStreamId: 7, error: unavailable });
const ping = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0);

describe("ControlFrames", () => {
  test("understands each of its kinds, however the bytes are cut", () => {
    const frames = [
      frame(Kind.WindowUpdate, 3, 0, Uint8Array.of(5)),
      frame(Kind.WindowUpdate, 0, 0, Uint8Array.of(0x80, 1)),
      frame(Kind.Blocked, 5, 0, Uint8Array.of(0x80, 1)),
      frame(Kind.Loan, 5, 0, Uint8Array.of(2)),
      frame(Kind.Ping, 0, 0, ping),
      frame(Kind.GoingAway, 0, 0, goingAway),
      frame(Kind.Refused, 9, 0, encodeErrorPayload({ code: 8n, text: "full" })),
    ];
    fc.assert(
      fc.property(cutSizes, (sizes) => {
        assert.deepEqual(understood(frames, sizes), [
          "grant 3 5",
          "grant 0 128",
          "blocked 5 128",
          "lent 5 2",
          "ping 010203040506070800",
          "goingAway 7 14/14 bye, not started",
          "refused 9 8/8 full, not started",
        ]);
      }),
    );
  });

  test("takes an error without a code, or with one that no number holds, for Unavailable", () => {
    for (const code of [0n, 2n ** 63n]) {
      const body = encodeErrorPayload({ code, text: "odd" });
      assert.deepEqual(understood([frame(Kind.Refused, 1, 0, body)]), [`refused 1 14/${code} odd, not started`]);
    }
    assert.equal(Code.Unavailable, 14);
  });

  test("passes over what is malformed, and understands what follows", () => {
    const malformed = [
      frame(Kind.GoingAway, 0, 0),
      frame(Kind.GoingAway, 0, 0, Uint8Array.of(0x80)),
      frame(Kind.GoingAway, 0, 0, new Uint8Array(20).fill(0xff)),
      frame(Kind.GoingAway, 0, 0, goingAway, { done: false }),
      frame(Kind.GoingAway, 0, 0, goingAway, { control: false }),
      frame(Kind.GoingAway, 0, 0, new Uint8Array(65_536 + 11)),
      frame(Kind.Ping, 0, 0, new Uint8Array(10)),
      frame(Kind.Ping, 0, 0, ping, { done: false }),
      frame(Kind.Refused, 1, 0, new Uint8Array(70_000)),
      frame(Kind.Refused, 1, 0, "no", { control: false }),
      frame(Kind.WindowUpdate, 1, 0),
      frame(Kind.WindowUpdate, 1, 0, Uint8Array.of(0)),
    ];
    for (const each of malformed) {
      for (const sizes of [[1_000_000], [1], [7]]) {
        assert.deepEqual(understood([each, frame(Kind.Ping, 0, 0, ping)], sizes), ["ping 010203040506070800"]);
      }
    }
  });

  test("never throws, whatever the bodies hold", () => {
    const kind = fc.constantFrom(...controlKinds);
    const any = fc.tuple(kind, fc.nat(3), fc.uint8Array({ maxLength: 30 }), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), cutSizes, (all, sizes) => {
        const frames = all.map(([each, id, body, done, control]) => frame(each, id, 0, body, { done, control }));
        assert.ok(understood(frames, sizes).length <= all.length);
      }),
    );
  });
});

test("only the kinds of control frames stand outside the order of message ids", () => {
  const kinds = Object.values(Kind).filter((kind) => isOutOfOrderKind(kind));
  assert.deepEqual(new Set(kinds), new Set(controlKinds));
});
