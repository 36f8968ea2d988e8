// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeVarint, varintSize } from "../../src/wire/varint.js";
import { frame, RawPeer } from "../raw-peer.js";

const timeout = 10_000;
const flowControl = { windowBytes: 100_000, grantThresholdBytes: 25_000 };

/** A stream whose messages lie unread until they are taken, and the peer of it. */
function setup(options: SessionOptions = {}) {
  const pair = createConnectionPair();
  const peer = new RawPeer(pair.server);
  const session = new Session({
    role: "client",
    connection: pair.client,
    limits: resolveSessionOptions(options),
    announces: true,
    flowControl,
    listener: { ended: () => undefined },
  });
  const unread: number[] = [];
  const ended: unknown[] = [];
  const stream = session.open(
    { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [], streamsRequests: true },
    () => ({
      wantsMessage: false,
      message: (body) => unread.push(body.length),
      end: (error) => ended.push(error?.rawMessage),
      terminated: () => undefined,
    }),
  );
  return { session, stream, peer, unread, ended };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function grant(stream: number, bytes: number): Uint8Array {
  const body = new Uint8Array(varintSize(bytes));
  encodeVarint(bytes, body, 0);
  return frame(Kind.WindowUpdate, stream, 0, body);
}

test("a grant is read behind a message that is larger than windowBytes, and that nobody takes before it comes", {
  timeout,
}, async () => {
  const { session, stream, peer, unread } = setup();
  stream.send(new Uint8Array(300_000));
  const next = stream.send(new Uint8Array(10));
  assert.ok(next !== undefined, "the window is used up");
  await peer.frame(Kind.Invoke, 1);
  peer.write(frame(Kind.Message, 1, 1, new Uint8Array(2_000_000)));
  peer.write(grant(1, 300_000));
  await next;
  assert.deepEqual(unread, [2_000_000]);
  session.abort(new DrpcError("done", Code.Canceled));
});

test("small messages may fill the peer's window, whatever they cost between ts-drpc peers", { timeout }, async () => {
  const { session, stream, peer, unread, ended } = setup({ windowBytes: 65_536, maxMessageBytes: 65_536 });
  await peer.frame(Kind.Invoke, 1);
  for (let message = 1; message <= 5_000; message += 1_000) {
    peer.write(...Array.from({ length: 1_000 }, (_, index) => frame(Kind.Message, 1, message + index, "a")));
  }
  peer.write(frame(Kind.CloseSend, 1, 5_001));
  await until(() => ended.length > 0);
  assert.equal(unread.length, 5_000);
  assert.deepEqual(ended, [undefined]);
  for (const bytes of unread) {
    stream.consume(bytes);
  }
  session.abort(new DrpcError("done", Code.Canceled));
});

test("consumed bytes are granted back in the steps of the fork, without what a message costs between ts-drpc peers", {
  timeout,
}, async () => {
  const { session, stream, peer, unread } = setup();
  await peer.frame(Kind.Invoke, 1);
  for (let message = 1; message <= 3; message++) {
    peer.write(frame(Kind.Message, 1, message, new Uint8Array(12_499)));
  }
  await until(() => unread.length === 3);
  for (let taken = 0; taken < 3; taken++) {
    stream.consume(12_499);
  }
  const { data, message, control } = await peer.frame(Kind.WindowUpdate, 1);
  assert.deepEqual([Buffer.from(data), message, control], [Buffer.from(grant(1, 37_497).subarray(4)), 0, true]);
  assert.equal(
    peer.shown().some((shown) => shown.startsWith("InvokeMetadata")),
    false,
    "nothing is announced",
  );
  session.abort(new DrpcError("done", Code.Canceled));
});
