// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pings } from "../../src/session/pings.js";
import type { Stream } from "../../src/session/stream.js";
import { Kind } from "../../src/wire/kind.js";

function setup(knowsPeer: boolean): { pings: Pings; sent: string[] } {
  const sent: string[] = [];
  const pings = new Pings({
    role: "server",
    knowsPeer,
    sendPacket: (kind, streamId, messageId, body) => {
      assert.deepEqual([kind, streamId, messageId], [Kind.Ping, 0, 0]);
      sent.push(Buffer.from(body).toString("hex"));
    },
  });
  return { pings, sent };
}

test("asks a ts-drpc peer, each time with other bytes", () => {
  const { pings, sent } = setup(true);
  assert.deepEqual([pings.ask(), pings.ask()], [true, true]);
  assert.deepEqual(sent, ["000000010000000000", "000000020000000000"]);
});

test("answers a question with its bytes, and leaves those of the question as they are", () => {
  const { pings, sent } = setup(true);
  const question = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 0);
  pings.answer(question);
  assert.deepEqual(sent, ["090807060504030201"]);
  assert.equal(question[8], 0);
});

test("answers no answer, and nothing that is no question, so that no two peers answer each other for ever", () => {
  const { pings, sent } = setup(true);
  for (const body of [
    Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1),
    Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 2),
    new Uint8Array(8),
    new Uint8Array(0),
  ]) {
    pings.answer(body);
  }
  assert.deepEqual(sent, []);
});

test("neither asks nor answers a peer that is not known to be a ts-drpc peer", () => {
  const { pings, sent } = setup(false);
  assert.equal(pings.ask(), false);
  pings.answer(new Uint8Array(9));
  assert.deepEqual(sent, []);
});

test("sends an unknown peer something in a stream's own order of messages, and no other peer", () => {
  const sent: unknown[] = [];
  const stream = { id: 7, takeMessageId: () => 3 } as Stream;
  for (const [role, knowsPeer] of [
    ["server", false],
    ["server", true],
    ["client", false],
  ] as const) {
    const pings = new Pings({ role, knowsPeer, sendPacket: (...packet) => sent.push(packet) });
    pings.probe(stream);
    pings.probe(undefined);
  }
  assert.deepEqual(sent, [[Kind.Ping, 7, 3, new Uint8Array(0)]]);
});
