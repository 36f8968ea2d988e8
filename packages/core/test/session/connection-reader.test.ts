// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, type ConnectionReceiver, DrpcError } from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { ConnectionReader } from "../../src/session/connection-reader.js";
import { Kind } from "../../src/wire/kind.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, frame, join } from "../raw-peer.js";

interface Setup {
  readonly reader: ConnectionReader;
  readonly connection: ConnectionReceiver;
  readonly events: string[];

  /** Is called with the message id of every fragment. */
  onFragment: (message: number) => void;
}

function setup(): Setup {
  const events: string[] = [];
  let connection: ConnectionReceiver | undefined;
  const all: { onFragment: (message: number) => void } = { onFragment() {} };
  const reader = new ConnectionReader(
    "client",
    {
      peer: { address: "10.0.0.1:7" },
      start: (receiver) => {
        connection = receiver;
      },
      write: () => true,
      pause: () => events.push("pause"),
      resume: () => events.push("resume"),
      close: () => events.push("close"),
      abort: () => events.push("abort"),
    },
    {
      fragment: ({ messageId }) => {
        events.push(`fragment ${messageId}`);
        all.onFragment(messageId);
      },
      endOfChunk() {},
      writable() {},
      end: (error) => {
        events.push(`end ${error.code} ${error.rawMessage}`);
        reader.end();
      },
    },
  );
  reader.start();
  return Object.assign(all, { reader, connection: connection as unknown as ConnectionReceiver, events });
}

const three = join([1, 2, 3].map((message) => frame(Kind.Message, 1, message)));

test("a reader that is paused in the middle of a chunk stops behind the fragment, and goes on in a later turn", async () => {
  const all = setup();
  all.onFragment = (message) => message === 2 && all.reader.pause("unread");
  all.connection.data(three);
  assert.deepEqual(all.events, ["fragment 1", "fragment 2", "pause"]);
  all.reader.resume("unread");
  assert.equal(all.events.length, 3);
  await Promise.resolve();
  assert.deepEqual(all.events.slice(3), ["fragment 3", "resume"]);
});

test("a reader that is paused for two reasons waits for both, and takes no notice of a third", async () => {
  const all = setup();
  all.reader.pause("unread");
  all.reader.pause("unsent");
  all.connection.data(three);
  all.reader.resume("unread");
  await Promise.resolve();
  assert.deepEqual(all.events, ["pause"]);
  all.reader.resume("unread");
  all.reader.resume("unsent");
  await Promise.resolve();
  assert.deepEqual(all.events, ["pause", "fragment 1", "fragment 2", "fragment 3", "resume"]);
});

test("what came before the end is read before the end is told, even while the reader is paused", async () => {
  for (const reason of [undefined, new Error("reset")]) {
    const all = setup();
    all.onFragment = () => all.reader.pause("unread");
    all.connection.data(three);
    all.connection.end(reason);
    const text =
      reason === undefined
        ? "the connection to 10.0.0.1:7 was closed by the peer"
        : "the connection to 10.0.0.1:7 was lost: reset";
    assert.deepEqual(all.events, [
      "fragment 1",
      "pause",
      "fragment 2",
      "fragment 3",
      `end ${Code.Unavailable} ${text}`,
    ]);
    all.reader.resume("unread");
    await Promise.resolve();
    assert.equal(all.events.length, 5);
  }
});

test("an end that comes while a chunk is being read is told behind the chunk", async () => {
  const all = setup();
  all.onFragment = (message) => message === 1 && all.connection.end();
  all.connection.data(three);
  assert.deepEqual(all.events, ["fragment 1", "fragment 2", "fragment 3"]);
  await Promise.resolve();
  assert.equal(all.events.length, 4);
});

test("an end inside a frame says so, and a DrpcError of the connection comes through as it is", () => {
  const cut = setup();
  cut.connection.data(three.subarray(0, 6));
  cut.connection.end();
  assert.match(cut.events.at(-1) ?? "", /was closed by the peer, in the middle of a frame$/);
  const own = setup();
  own.connection.end(new DrpcError("no such host", Code.Unavailable));
  assert.deepEqual(own.events, ["end 14 no such host"]);
});

test("what is no DRPC ends the connection with an error that shows its first bytes", () => {
  const all = setup();
  all.onFragment = () => {
    throw new Error("unknown kind 35");
  };
  all.connection.data(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));
  assert.match(
    all.events.at(-2) ?? "",
    /^end 13 protocol error: the peer does not seem to speak DRPC: unknown kind 35 \(from 10.0.0.1:7, the first bytes it sent are "HTTP\/1.1 400 Bad Request\\r\\nConnec"\)$/,
  );
  assert.equal(all.events.at(-1), "abort");
  all.connection.data(three);
  all.connection.end();
  assert.equal(all.events.at(-1), "abort");
});

test("an answer that waits behind a slow reader is not lost when the connection ends (checklist 46)", async () => {
  const { transport, peer } = dialRawServer({ peer: "sequential", windowBytes: 10_000 });
  const responses = gopeer.createEchoClient(transport).serverStream({})[Symbol.asyncIterator]();
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  const messages = Array.from({ length: 10 }, (_, index) =>
    frame(Kind.Message, 1, index + 1, msg({ data: new Uint8Array(9_000) })),
  );
  raw.write(join([...messages, frame(Kind.CloseSend, 1, 11)]));
  raw.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  let count = 0;
  for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
    count++;
  }
  assert.equal(count, 10);
});

test("activity counts what comes, and that reading goes on, so that a pause is not taken for the peer's silence", async () => {
  const { reader, connection } = setup();
  connection.data(frame(Kind.Message, 1, 1));
  const read = reader.activity;
  assert.ok(read > 0);
  reader.pause("unread");
  assert.equal(reader.activity, read);
  reader.resume("unread");
  await Promise.resolve();
  assert.ok(reader.activity > read);
});
