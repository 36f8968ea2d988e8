// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import type { Stream } from "../../src/session/stream.js";
import type { StreamReceiver } from "../../src/session/stream-host.js";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeSettings } from "../../src/wire/settings-payload.js";
import { errorFrame, frame, framesOf, join, RawPeer, show } from "../raw-peer.js";

/** A receiver that keeps what it is told, and takes messages only when the test does. */
class Recorder implements StreamReceiver {
  readonly events: string[] = [];
  readonly wantsMessage = false;
  readonly #stream: Stream;
  #unread: number[] = [];

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  message(body: Uint8Array): void {
    this.events.push(`message ${body.length}`);
    this.#unread.push(body.length);
  }

  end(error: DrpcError | undefined): void {
    this.events.push(`end ${error?.rawMessage ?? "well"}`);
  }

  terminated(cause: DrpcError | undefined): void {
    this.events.push(`terminated ${cause?.rawMessage ?? "well"}`);
  }

  takeAll(): void {
    for (const bytes of this.#unread.splice(0)) {
      this.#stream.consume(bytes);
    }
  }
}

interface Setup {
  readonly session: Session;
  readonly peer: RawPeer;
  readonly ended: Promise<DrpcError | undefined>;
  open(): { stream: Stream; receiver: Recorder };
}

function setup(options: SessionOptions = {}, announces = false): Setup {
  const pair = createConnectionPair();
  let end: (error: DrpcError | undefined) => void = () => undefined;
  const ended = new Promise<DrpcError | undefined>((resolve) => {
    end = resolve;
  });
  const session = new Session({
    role: "client",
    connection: pair.client,
    limits: resolveSessionOptions(options),
    announces,
    listener: { ended: (error) => end(error) },
  });
  const call = { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [] };
  return {
    session,
    ended,
    peer: new RawPeer(pair.server),
    open() {
      let receiver: Recorder | undefined;
      const stream = session.open(call, (opened) => {
        receiver = new Recorder(opened);
        return receiver;
      });
      return { stream, receiver: receiver as unknown as Recorder };
    },
  };
}

const body = new Uint8Array(3);
const noLimits = { maxMessageBytes: 1_000, maxConcurrentStreams: 0, connectionWindowBytes: 0, compressions: 0 };

test("Send after own CloseSend fails and writes nothing (checklist 34)", async () => {
  const { peer, open } = setup();
  const { stream } = open();
  stream.send(body);
  stream.closeSend();
  assert.throws(() => stream.send(body), { code: Code.Internal, message: /has said that it sends no more/ });
  open();
  await peer.frame(Kind.Invoke, 2);
  assert.deepEqual(peer.shown(1), ["Invoke 1/1 6", "Message 1/2 3", "CloseSend 1/3"]);
});

test("CloseSend twice writes one frame (checklist 35)", async () => {
  const { peer, open } = setup();
  const { stream } = open();
  stream.closeSend();
  stream.closeSend();
  open();
  await peer.frame(Kind.Invoke, 2);
  assert.deepEqual(peer.shown(1), ["Invoke 1/1 6", "CloseSend 1/2"]);
});

test("a message that waits for credit is copied out of a buffer that is much larger", async () => {
  const { peer, open } = setup({}, true);
  const { stream } = open();
  await peer.frame(Kind.Invoke, 1);
  peer.write(frame(Kind.Settings, 1, 1, encodeSettings({ ...noLimits, version: 1, windowBytes: 100 })));
  await peer.frame(Kind.Settings, 1);
  assert.equal(stream.send(new Uint8Array(10)), undefined);
  const buffer = new Uint8Array(1_000).fill(1);
  const sent = stream.send(buffer.subarray(0, 10));
  assert.ok(sent instanceof Promise);
  buffer.fill(2);
  peer.write(frame(Kind.WindowUpdate, 1, 0, Uint8Array.of(100)));
  await sent;
  open();
  await peer.frame(Kind.Invoke, 2);
  const messages = peer.frames.filter(({ kind }) => kind === Kind.Message).map(({ data }) => [...data]);
  assert.deepEqual(messages, [new Array(10).fill(0), new Array(10).fill(1)]);
});

test("Closing a finished stream writes nothing, and neither does any other way to end it (checklist 36)", async () => {
  const { peer, open } = setup();
  const { stream, receiver } = open();
  stream.closeSend();
  await peer.frame(Kind.CloseSend, 1);
  peer.write(frame(Kind.CloseSend, 1, 1));
  open();
  await peer.frame(Kind.Invoke, 2);
  peer.write(frame(Kind.CloseSend, 2, 1));
  assert.equal(stream.terminated, true);
  stream.close();
  stream.cancel(new DrpcError("too late"));
  stream.sendError(new DrpcError("too late"));
  stream.closeSend();
  open();
  await peer.frame(Kind.Invoke, 3);
  assert.deepEqual(peer.shown(1), ["Invoke 1/1 6", "CloseSend 1/2"]);
  assert.deepEqual(receiver.events, ["end well", "terminated well"]);
});

test("Closing an open stream writes Close once, and the connection is usable (checklist 37)", async () => {
  const { peer, open } = setup();
  const { stream, receiver } = open();
  stream.close();
  stream.close();
  open();
  await peer.frame(Kind.Invoke, 2);
  assert.deepEqual(peer.shown(1), ["Invoke 1/1 6", "Close 1/2"]);
  assert.deepEqual(receiver.events, ["end well", "terminated well"]);
  assert.throws(() => stream.send(body), DrpcError);
});

for (const [name, end, events] of [
  [
    "CloseSend and then Error",
    join([frame(Kind.CloseSend, 1, 3), errorFrame(1, 4, 5n, "no")]),
    ["end well", "terminated no"],
  ],
  ["Close", frame(Kind.Close, 1, 3), ["end well", "terminated /a.B/C: the peer closed the stream"]],
  ["Error", errorFrame(1, 3, 5n, "no"), ["end no", "terminated no"]],
  [
    "Cancel",
    frame(Kind.Cancel, 1, 3),
    ["end /a.B/C: the peer canceled the call", "terminated /a.B/C: the peer canceled the call"],
  ],
] as const) {
  test(`the receiver is told of the end by ${name} once, behind all messages`, async () => {
    const { peer, open } = setup();
    const { receiver } = open();
    await peer.frame(Kind.Invoke, 1);
    peer.write(
      join([frame(Kind.Message, 1, 1, "a"), frame(Kind.Message, 1, 2, "bb"), end, frame(Kind.Message, 1, 5, "late")]),
    );
    peer.write(errorFrame(1, 9, 5n, "second"));
    const next = open();
    peer.write(frame(Kind.Error, 2, 1));
    await settled(() => next.stream.terminated);
    assert.deepEqual(receiver.events, ["message 1", "message 2", ...events]);
  });
}

test("nothing is held for streams that have ended, however they ended", async () => {
  const ends: ((stream: Stream, peer: RawPeer) => void)[] = [
    (stream) => stream.cancel(new DrpcError("enough")),
    (stream) => stream.close(),
    (_, peer) => peer.write(frame(Kind.Cancel, 1, 9)),
    (_, peer) => peer.write(errorFrame(1, 9, 1n, "")),
    // A packet that is dropped half-way, and one above the limit right behind it.
    (_, peer) => peer.write(frame(Kind.Message, 1, 9, new Uint8Array(2_000))),
    (_, peer) => peer.write(frame(Kind.InvokeMetadata, 1, 9, new Uint8Array(2_000))),
  ];
  for (const end of ends) {
    const { peer, open, session, ended } = setup({ maxMessageBytes: 1_000, maxMetadataBytes: 1_000 });
    const { stream, receiver } = open();
    await peer.frame(Kind.Invoke, 1);
    peer.write(
      frame(Kind.Message, 1, 1, new Uint8Array(100)),
      frame(Kind.Message, 1, 2, new Uint8Array(700), { done: false }),
    );
    await settled(() => session.budget.bytes > 800);
    end(stream, peer);
    await settled(() => stream.terminated);
    assert.equal(session.budget.bytes, 0);
    receiver.takeAll();
    assert.equal(session.budget.bytes, 0);
    peer.close();
    await ended;
    assert.equal(session.streamCount, 0);
  }
});

test("what is sent waits for the connection, and is dropped with its stream", async () => {
  const { peer, open } = setup({ maxUnsentBytes: 100_000 });
  peer.pause();
  const { stream } = open();
  const accepted: (Promise<void> | undefined)[] = [];
  while (accepted.at(-1) === undefined) {
    accepted.push(stream.send(new Uint8Array(30_000)));
    await Promise.resolve();
  }
  const other = open();
  const later = other.stream.send(new Uint8Array(30_000));
  stream.cancel(new DrpcError("enough", Code.Canceled));
  await assert.rejects(accepted.at(-1) as Promise<void>, { code: Code.Canceled });
  peer.resume();
  await later;
  other.stream.closeSend();
  await peer.frame(Kind.CloseSend, 2);
});

test("a session that ends tells every stream, and refuses the next call as not started", async () => {
  const { peer, open, session, ended } = setup();
  const all = [open(), open(), open()];
  await peer.frame(Kind.Invoke, 3);
  peer.close();
  await ended;
  for (const { receiver, stream } of all) {
    const text = "/a.B/C: the connection to in-memory server was closed by the peer";
    assert.deepEqual(receiver.events, [`end ${text}`, `terminated ${text}`]);
    assert.throws(() => stream.send(body), { code: Code.Unavailable });
  }
  assert.throws(open, { code: Code.Unavailable, notStarted: true });
  assert.equal(session.streamCount, 0);
});

test("a session that is closed while the peer takes nothing is given up after a second", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const calls: string[] = [];
  const written: Uint8Array[] = [];
  let ended: DrpcError | undefined | "not yet" = "not yet";
  const session = new Session({
    role: "client",
    connection: {
      peer: { address: "a peer that takes nothing" },
      start() {},
      write: (bytes) => {
        written.push(bytes);
        return false;
      },
      pause() {},
      resume() {},
      close: () => calls.push("close"),
      abort: () => calls.push("abort"),
    },
    limits: resolveSessionOptions({}),
    announces: false,
    listener: {
      ended: (error) => {
        ended = error;
      },
    },
  });
  const stream = session.open({ path: "/a.B/C", pathBytes: body, metadata: [] }, (opened) => new Recorder(opened));
  await Promise.resolve();
  stream.send(body);
  session.close(new DrpcError("bye", Code.Canceled));
  assert.deepEqual(framesOf(join(written)).map(show), ["Invoke 1/1 3", "Message 1/2 3", "Cancel 1/3 control"]);
  t.mock.timers.tick(999);
  assert.deepEqual([calls, ended], [["close"], "not yet"]);
  t.mock.timers.tick(1);
  assert.deepEqual([calls, ended], [["close", "abort"], undefined]);
});

/** Waits, a turn of the event loop after the other, until something is true. */
async function settled(met: () => boolean): Promise<void> {
  while (!met()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
