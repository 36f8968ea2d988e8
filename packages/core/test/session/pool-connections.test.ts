// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, PushStream, type SessionTransportOptions } from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { encodeSettings } from "../../src/wire/settings-payload.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, frame, type RawPeer, type RawServer } from "../raw-peer.js";
import { noTimers } from "../rpc/harness.js";

type Client = RawServer & { readonly client: gopeer.EchoClient };

function setup(options: SessionTransportOptions = {}): Client {
  const raw = dialRawServer({ peer: "sequential", ...options });
  return { ...raw, client: gopeer.createEchoClient(raw.transport) };
}

/** Waits for a unary call on a stream, and answers it. */
async function answer(raw: RawPeer, stream: number, ...before: Uint8Array[]): Promise<void> {
  await raw.frame(Kind.CloseSend, stream);
  raw.write(...before, frame(Kind.Message, stream, before.length + 1, msg({})));
  raw.write(frame(Kind.CloseSend, stream, before.length + 2));
}

async function unary({ client, peer }: Client, connection: number, stream: number): Promise<void> {
  const call = client.unary({});
  await answer(await peer(connection), stream);
  await call;
}

/** Makes a bidi call that sends messages and is answered, and cancels it. */
async function cancelBidi({ client, peer }: Client, sends: number, answers: number): Promise<void> {
  const requests = new PushStream<{ text: string }>();
  const responses = client.bidi(requests)[Symbol.asyncIterator]();
  for (let sent = 0; sent < sends; sent++) {
    await requests.send({ text: "a" });
  }
  const raw = await peer();
  await raw.until(({ frames }) => frames.filter(({ kind }) => kind === Kind.Message).length === sends);
  for (let answered = 1; answered <= answers; answered++) {
    raw.write(frame(Kind.Message, 1, answered, msg({})));
    await responses.next();
  }
  await responses.return?.();
}

describe("a connection to a sequential peer that may hang on messages that nobody takes", () => {
  test("is not used again after a call was canceled with messages that were not answered", async () => {
    const used = setup();
    await cancelBidi(used, 2, 1);
    await unary(used, 1, 1);
    const first = await used.peer();
    await first.ended;
    assert.equal(first.shown().at(-1), "Cancel 1/4 control");
  });

  test("is used again after a call was canceled whose messages were all answered, or that sent none", async () => {
    for (const sends of [0, 2]) {
      const used = setup();
      await cancelBidi(used, sends, sends);
      await unary(used, 0, 2);
      assert.equal(used.peers.length, 1);
    }
  });

  test("is not used again after the peer ended a call with fewer answers than it was sent messages", async () => {
    const used = setup();
    const responses = used.client.early(messages(3))[Symbol.asyncIterator]();
    const raw = await used.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(frame(Kind.CloseSend, 1, 1));
    assert.equal((await responses.next()).done, true);
    await unary(used, 1, 1);
    await raw.ended;
  });

  test("is used again after one answer to many messages, but not once the next call went unanswered", async () => {
    const used = setup();
    for (let stream = 1; stream <= 3; stream += 2) {
      const call = used.client.clientStream(messages(3));
      await answer(await used.peer(), stream);
      await call;
      if (stream === 1) {
        await unary(used, 0, 2);
      }
    }
    await assert.rejects(used.client.unary({}, { timeoutMs: 20 }), { code: Code.DeadlineExceeded });
    await (await used.peer()).ended;
    await unary(used, 1, 1);
  });

  test("is used again if the peer turns out to be a ts-drpc peer", async () => {
    const used = setup({ peer: "auto" });
    await cancelBidi(used, 2, 0);
    const call = used.client.unary({});
    await answer(await used.peer(), 2, settings(2));
    await call;
    await cancelBidi2(used);
    await unary(used, 0, 4);
    assert.equal(used.peers.length, 1);
  });
});

describe("unused connections", () => {
  test("to a sequential peer are closed after idleTimeoutMs, each in its time", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const used = setup({ idleTimeoutMs: 1_000 });
    const turn = async (): Promise<void> => {
      // The connections in memory deliver by timers too.
      for (let count = 0; count < 20; count++) {
        t.mock.timers.tick(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const calls = [used.client.unary({}), used.client.unary({})];
    await turn();
    for (const raw of used.peers) {
      raw.write(frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2));
    }
    await turn();
    await Promise.all(calls);
    t.mock.timers.tick(600);
    const again = used.client.unary({});
    await turn();
    used.peers[0]?.write(frame(Kind.Message, 2, 1, msg({})), frame(Kind.CloseSend, 2, 2));
    await turn();
    await again;
    t.mock.timers.tick(401);
    await turn();
    assert.deepEqual(
      used.peers.map(({ isEnded }) => isEnded),
      [false, true],
    );
    t.mock.timers.tick(600);
    await turn();
    assert.deepEqual(
      used.peers.map(({ isEnded }) => isEnded),
      [true, true],
    );
  });

  test("leave no timer behind when the transport is closed", async () => {
    const used = setup();
    await unary(used, 0, 1);
    await used.transport.close();
    await noTimers();
  });

  test("are closed as soon as one peer turns out to take all calls on one connection", async () => {
    const used = setup({ peer: "auto", maxConnections: 3 });
    // A Go peer at first: three connections.
    await unary(used, 0, 1);
    const calls = [used.client.unary({}), used.client.unary({}), used.client.unary({})];
    await answer(await used.peer(0), 2);
    await answer(await used.peer(1), 1, settings(1));
    await answer(await used.peer(2), 1);
    await Promise.all(calls);
    await Promise.all([(await used.peer(0)).ended, (await used.peer(2)).ended]);
    await unary(used, 1, 2);
    assert.equal(used.peers.length, 3);
  });

  test("an idleTimeoutMs that is no time is refused", () => {
    assert.throws(() => setup({ idleTimeoutMs: 0 }), {
      name: "RangeError",
      message: /^idleTimeoutMs must be .* got 0$/,
    });
  });
});

async function* messages(count: number): AsyncGenerator<{ text: string }> {
  for (let sent = 0; sent < count; sent++) {
    yield { text: "a" };
  }
}

function settings(stream: number): Uint8Array {
  const body = encodeSettings({
    version: 1,
    windowBytes: 1_000_000,
    maxMessageBytes: 1_000_000,
    maxConcurrentStreams: 9,
    connectionWindowBytes: 0,
    compressions: 0,
  });
  return frame(Kind.Settings, stream, 1, body);
}

/** Cancels a call on stream 3. */
async function cancelBidi2({ client, peer }: Client): Promise<void> {
  const responses = client.bidi(messages(3))[Symbol.asyncIterator]();
  await (await peer()).frame(Kind.CloseSend, 3);
  await responses.return?.();
}

describe("a connection to a multiplexed peer without windows, which reads nothing more when a stream's queue is full", () => {
  /** Makes a bidi call that the server ends before it has read what it was sent. */
  async function endedEarly({ client, peer }: Client, sends: number, connection = 0): Promise<void> {
    const requests = new PushStream<{ text: string }>();
    const responses = client.bidi(requests)[Symbol.asyncIterator]();
    for (let sent = 0; sent < sends; sent++) {
      await requests.send({ text: "a" });
    }
    const raw = await peer(connection);
    await raw.until(({ frames }) => frames.filter(({ kind }) => kind === Kind.Message).length >= sends);
    const stream = raw.frames.at(-1)?.stream ?? 0;
    raw.write(frame(Kind.CloseSend, stream, 1));
    assert.equal((await responses.next()).done, true);
  }

  test("is used on after a call that left no more unread than the queue holds", async () => {
    const used = setup({ peer: "multiplexed" });
    await endedEarly(used, 256);
    await unary(used, 0, 2);
    assert.equal(used.peers.length, 1);
  });

  test("takes no more calls after one that left more, and is closed behind the last of those that are under way", async () => {
    const used = setup({ peer: "multiplexed" });
    const neighbour = used.client.unary({});
    const first = await used.peer();
    await first.frame(Kind.CloseSend, 1);
    await endedEarly(used, 257);
    await unary(used, 1, 1);
    assert.equal(first.isEnded, false);
    await answer(first, 1);
    await neighbour;
    await first.ended;
    await unary(used, 1, 2);
    assert.equal(used.peers.length, 2);
  });

  test("is closed at once where maxConnections leaves no room for another", async () => {
    const used = setup({ peer: "multiplexed", maxConnections: 1 });
    const neighbour = used.client.unary({});
    await (await used.peer()).frame(Kind.CloseSend, 1);
    await endedEarly(used, 257);
    const next = used.client.unary({});
    await assert.rejects(neighbour, { code: Code.Unavailable, message: /the peer may hang, .* maxConnections/ });
    await answer(await used.peer(1), 1);
    await next;
  });

  test("is used on if the peer turned out to be a ts-drpc peer", async () => {
    const used = setup({ peer: "multiplexed" });
    const call = used.client.unary({});
    await answer(await used.peer(), 1, settings(1));
    await call;
    await endedEarly(used, 257);
    await unary(used, 0, 3);
    assert.equal(used.peers.length, 1);
  });
});
