// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, PushStream, type SessionTransportOptions } from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, frame, type RawPeer, type RawServer } from "../raw-peer.js";

function setup(options: SessionTransportOptions = {}): RawServer & { readonly client: gopeer.EchoClient } {
  const raw = dialRawServer({ peer: "sequential", maxConnections: 1, ...options });
  return { ...raw, client: gopeer.createEchoClient(raw.transport) };
}

/** The streams of a raw peer in the order of their frames, each named once for each time it comes up. */
function order({ frames }: RawPeer): number[] {
  return frames.map(({ stream }) => stream).filter((stream, index, all) => stream !== all[index - 1]);
}

test("Sequential mode: never two active streams; a waiting call starts when the previous stream is finished (checklist 47)", async () => {
  const { client, peer, peers } = setup();
  const calls = Array.from({ length: 20 }, (_, index) => client.unary({ n: BigInt(index) }));
  const raw = await peer();
  for (let stream = 1; stream <= 20; stream++) {
    await raw.frame(Kind.CloseSend, stream);
    assert.equal(raw.frames.at(-1)?.stream, stream);
    raw.write(frame(Kind.Message, stream, 1, msg({ n: BigInt(stream) })), frame(Kind.CloseSend, stream, 2));
  }
  const answers = await Promise.all(calls);
  assert.deepEqual(
    answers.map(({ n }) => Number(n)),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  assert.equal(peers.length, 1);
});

test("Sequential mode: after the invoke of stream n+1 no frame of stream <= n is written (checklist 48)", async () => {
  const { client, peer } = setup();
  const controller = new AbortController();
  const calls = [
    client.identity({ data: new Uint8Array(1_000_000) }, { signal: controller.signal }),
    client.unary({}),
    client.unary({}),
  ];
  const raw = await peer();
  await raw.frame(Kind.Message, 1);
  raw.pause();
  controller.abort();
  await assert.rejects(calls[0] as Promise<unknown>, { code: Code.Canceled });
  raw.resume();
  // The answers come without CloseSend, so that each call has a Close to send.
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 2, 1, msg({})));
  await raw.frame(Kind.CloseSend, 3);
  raw.write(frame(Kind.Message, 3, 1, msg({})));
  await Promise.all(calls.slice(1));
  await raw.frame(Kind.Close, 3);
  assert.deepEqual(order(raw), [1, 2, 3]);
  assert.equal(raw.shown(1).at(-1), "Cancel 1/3 control");
  assert.equal(raw.shown(2).at(-1), "Close 2/4");
});

for (const [name, answer] of [
  ["the answer to a unary call", (): Uint8Array[] => [frame(Kind.Message, 1, 1, msg({ text: "early" }))]],
  ["the end of a stream", (): Uint8Array[] => [frame(Kind.CloseSend, 1, 1)]],
] as const) {
  test(`${name} that comes before the request was sent in full cuts it off, and nothing of it follows (checklist 48)`, async () => {
    const { client, peer } = setup();
    const data = new Uint8Array(2_000_000);
    const call =
      name === "the end of a stream"
        ? client
            .bidi(
              (async function* () {
                yield { data };
                yield { data };
              })(),
            )
            [Symbol.asyncIterator]()
            .next()
        : client.identity({ data });
    const raw = await peer();
    await raw.frame(Kind.Message, 1);
    raw.pause();
    raw.write(...answer());
    await call;
    raw.resume();
    if (name === "the end of a stream") {
      await raw.ended;
    } else {
      const next = client.unary({});
      await raw.frame(Kind.CloseSend, 2);
      raw.write(frame(Kind.Message, 2, 1, msg({})));
      await next;
      assert.deepEqual(order(raw), [1, 2]);
    }
    const shown = raw.shown(1);
    assert.ok(
      shown.slice(1, -1).every((each) => each === "Message 1/2 more 65536"),
      shown.join(),
    );
    assert.equal(shown.at(-1), name === "the end of a stream" ? "CloseSend 1/3" : "Close 1/3");
  });
}

test("a sequential peer is sent no announcement and no frame that only ts-drpc peers know (checklist 82)", async () => {
  const { client, peer } = setup();
  const responses = client.serverStream({})[Symbol.asyncIterator]();
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  for (let message = 1; message <= 100; message++) {
    raw.write(frame(Kind.Message, 1, message, msg({ data: new Uint8Array(50_000) })));
    assert.equal((await responses.next()).value?.data.length, 50_000);
  }
  await responses.return?.();
  await raw.frame(Kind.Cancel, 1);
  assert.deepEqual(raw.shown(), ["Invoke 1/1 28", "Message 1/2", "CloseSend 1/3", "Cancel 1/4 control"]);
});

test("a sequential peer gets more connections, up to maxConnections, and then calls wait", async () => {
  const { client, peer, peers } = setup({ maxConnections: 3 });
  const calls = Array.from({ length: 5 }, () => client.unary({}));
  const first = await Promise.all([peer(0), peer(1), peer(2)]);
  for (const raw of first) {
    await raw.frame(Kind.CloseSend, 1);
  }
  const [one, two] = first as [RawPeer, RawPeer, RawPeer];
  one.write(frame(Kind.Message, 1, 1, msg({})));
  await one.frame(Kind.CloseSend, 2);
  two.write(frame(Kind.Message, 1, 1, msg({})));
  await two.frame(Kind.CloseSend, 2);
  one.write(frame(Kind.Message, 2, 1, msg({})));
  two.write(frame(Kind.Message, 2, 1, msg({})));
  first[2]?.write(frame(Kind.Message, 1, 1, msg({})));
  await Promise.all(calls);
  assert.equal(peers.length, 3);
});

test("a connection whose Go server ended a call before it had read all is not used again, as that server may hang", async () => {
  for (const peerKind of ["sequential", "auto", "multiplexed"] as const) {
    const { client, peer, peers } = setup({ peer: peerKind });
    const requests = new PushStream<{ text: string }>();
    const responses = client.bidi(requests)[Symbol.asyncIterator]();
    await requests.send({ text: "a" });
    const raw = await peer();
    await raw.frame(Kind.Message, 1);
    raw.write(frame(Kind.CloseSend, 1, 1));
    assert.equal((await responses.next()).done, true);
    const next = client.unary({});
    const other = await peer(peerKind === "multiplexed" ? 0 : 1);
    const stream = peerKind === "multiplexed" ? 2 : 1;
    await other.frame(Kind.CloseSend, stream);
    other.write(frame(Kind.Message, stream, 1, msg({})));
    await next;
    assert.equal(peers.length, peerKind === "multiplexed" ? 1 : 2);
    assert.equal(raw.isEnded, peerKind !== "multiplexed");
    assert.equal(raw.shown(1).at(-1)?.startsWith("CloseSend 1/"), true);
  }
});

test("a canceled call that waited leaves its place, and the one behind it goes", async () => {
  const { client, peer } = setup();
  const controller = new AbortController();
  const first = client.unary({});
  const second = client.unary({}, { signal: controller.signal });
  const third = client.unary({});
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  controller.abort();
  await assert.rejects(second, { code: Code.Canceled, notStarted: true });
  raw.write(frame(Kind.Message, 1, 1, msg({})));
  await first;
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 2, 1, msg({})));
  await third;
});

test("ten thousand waiting calls that all fail as they start do not pile up on the stack", async () => {
  const { client, peer } = setup({ maxMessageBytes: 100 });
  const first = client.unary({});
  const others = Array.from({ length: 10_000 }, async () => {
    for await (const _ of client.serverStream({ data: new Uint8Array(200) }));
  });
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Message, 1, 1, msg({})));
  await first;
  for (const result of await Promise.allSettled(others)) {
    assert.equal(result.status === "rejected" && result.reason.code, Code.ResourceExhausted);
  }
});

for (const peerKind of ["multiplexed", "auto"] as const) {
  test(`peer "${peerKind}" announces ts-drpc with its first call, and "auto" with a Go peer then stays sequential`, async () => {
    const { client, peer, peers } = setup({ peer: peerKind, maxConnections: 2 });
    const first = client.unary({});
    const raw = await peer();
    await raw.frame(Kind.CloseSend, 1);
    assert.match(raw.shown(1)[0] ?? "", /^InvokeMetadata 1\/1/);
    raw.write(frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2));
    await first;
    const calls = [client.unary({}), client.unary({})];
    await raw.frame(Kind.CloseSend, 2);
    const other = peerKind === "auto" ? await peer(1) : raw;
    await other.frame(Kind.CloseSend, peerKind === "auto" ? 1 : 3);
    assert.ok(other.frames.filter(({ kind }) => kind === Kind.InvokeMetadata).length <= 1);
    raw.write(frame(Kind.Message, 2, 1, msg({})), frame(Kind.CloseSend, 2, 2));
    other.write(frame(Kind.Message, peerKind === "auto" ? 1 : 3, 1, msg({})));
    await Promise.all(calls);
    assert.equal(peers.length, peerKind === "auto" ? 2 : 1);
  });
}
