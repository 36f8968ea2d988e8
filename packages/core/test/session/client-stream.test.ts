// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, PushStream } from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, errorFrame, frame, join, type RawPeer, type RawServer } from "../raw-peer.js";
import { useFakeTime } from "../rpc/fake-server.js";

type Peer = "sequential" | "multiplexed";

interface Setup extends RawServer {
  readonly client: gopeer.EchoClient;
}

function setup(peer: Peer = "sequential"): Setup {
  const raw = dialRawServer({ peer });
  return { ...raw, client: gopeer.createEchoClient(raw.transport) };
}

/** Makes a unary call on a connection to show that it is usable, and that the peer got all that was sent before it. */
async function probe({ client, peer, peers }: Setup, stream: number): Promise<RawPeer> {
  const call = client.unary({ text: "probe" });
  const raw = await peer();
  await raw.frame(Kind.CloseSend, stream);
  raw.write(frame(Kind.Message, stream, 1, msg({ text: "yes" })), frame(Kind.CloseSend, stream, 2));
  assert.equal((await call).text, "yes");
  assert.equal(peers.length, 1);
  return raw;
}

test("Stream ids are 1, 2, 3 and message ids of each stream begin at 1 (checklist 22, checklist 23)", async () => {
  const all = setup();
  for (const stream of [1, 2, 3]) {
    await probe(all, stream);
  }
  const raw = await all.peer();
  for (const stream of [1, 2, 3]) {
    assert.deepEqual(raw.shown(stream).slice(0, 3), [
      `Invoke ${stream}/1 21`,
      `Message ${stream}/2 7`,
      `CloseSend ${stream}/3`,
    ]);
  }
});

test("Metadata precedes the invoke on the same stream, and none is sent for an empty map (checklist 25)", async () => {
  const all = setup();
  for (const [stream, metadata] of [
    [1, { key: "val" }],
    [2, {}],
  ] as const) {
    const call = all.client.unary({}, { metadata });
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, stream);
    raw.write(errorFrame(stream, 1, 5n, "no"));
    await assert.rejects(call);
  }
  const raw = await all.peer();
  assert.deepEqual(raw.shown(1).slice(0, 2), ["InvokeMetadata 1/1 12", "Invoke 1/2 21"]);
  assert.deepEqual(raw.shown(2).slice(0, 1), ["Invoke 2/1 21"]);
});

test("Accepts an answer without CloseSend, and sends Close (checklist 26)", async () => {
  const all = setup();
  const call = all.client.unary({});
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Message, 1, 1, msg({ text: "yes" })));
  assert.equal((await call).text, "yes");
  await raw.frame(Kind.Close, 1);
  await probe(all, 2);
  assert.deepEqual(raw.shown(1), ["Invoke 1/1 21", "Message 1/2", "CloseSend 1/3", "Close 1/4"]);
});

test("Accepts Message + CloseSend in one chunk and split at any byte (checklist 27)", async () => {
  const answer = join([frame(Kind.Message, 1, 1, msg({ text: "yes" })), frame(Kind.CloseSend, 1, 2)]);
  for (let cut = 0; cut <= answer.length; cut++) {
    const all = setup();
    const call = all.client.unary({});
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(answer.subarray(0, cut), answer.subarray(cut));
    assert.equal((await call).text, "yes");
    raw.close();
  }
});

for (const [name, kind] of [
  ["CloseSend", Kind.CloseSend],
  ["Close", Kind.Close],
] as const) {
  test(`A unary call that gets ${name} without a message fails, and sends nothing more (checklist 28)`, async () => {
    const all = setup();
    const call = all.client.unary({});
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(frame(kind, 1, 1));
    await assert.rejects(call, { code: Code.Unimplemented });
    await probe(all, 2);
    assert.deepEqual(raw.shown(1), ["Invoke 1/1 21", "Message 1/2", "CloseSend 1/3"]);
  });
}

test("Error gives code and text, nothing more is sent on the stream, and the next rpc works (checklist 29, checklist 31)", async () => {
  const all = setup();
  const call = all.client.unary({});
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(errorFrame(1, 1, 5n, "not here"));
  await assert.rejects(call, { code: Code.NotFound, rawMessage: "not here", wireCode: 5n });
  await probe(all, 2);
  assert.deepEqual(raw.shown(1), ["Invoke 1/1 21", "Message 1/2", "CloseSend 1/3"]);
});

test("a call that was refused for its number is marked as not started, whatever kind of server refused it (checklist 88)", async () => {
  for (const [wireCode, text] of [
    [0n, "too many concurrent streams: refused: at most 2 concurrent streams"],
    [8n, "too many concurrent streams: the limit maxConcurrentStreams is 2"],
  ] as const) {
    const all = setup();
    const call = all.client.unary({}, { retry: { maxAttempts: 1 } });
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(errorFrame(1, 1, wireCode, text));
    await assert.rejects(call, { code: Code.ResourceExhausted, wireCode, notStarted: true, rawMessage: text });
  }
});

test("An Error body of less than 8 bytes gives an error without code, and the connection lives (checklist 30)", async () => {
  const all = setup();
  const call = all.client.unary({});
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Error, 1, 1, "abc"));
  await assert.rejects(call, {
    code: Code.Unknown,
    wireCode: 0n,
    rawMessage: "abc (drpcwire note: invalid error data)",
  });
  await probe(all, 2);
});

for (const [name, end, closes] of [
  ["Error", errorFrame(1, 1, 5n, "no"), false],
  ["Cancel", frame(Kind.Cancel, 1, 1), false],
  ["Close", frame(Kind.Close, 1, 1), false],
  ["CloseSend", frame(Kind.CloseSend, 1, 1), true],
] as const) {
  test(`A client that is still sending ${closes ? "says CloseSend" : "sends nothing"} after the server's ${name} (checklist 29)`, async () => {
    const all = setup();
    const requests = new PushStream<{ text: string }>();
    const responses = all.client.bidi(requests)[Symbol.asyncIterator]();
    await requests.send({ text: "a" });
    const raw = await all.peer();
    await raw.frame(Kind.Message, 1);
    raw.write(end);
    const ended = await responses.next().catch((reason: Error) => reason);
    assert.ok(ended instanceof Error === (name === "Error" || name === "Cancel"));
    await assert.rejects(requests.send({ text: "b" }));
    if (closes) {
      await raw.ended;
    } else {
      await probe(all, 2);
    }
    assert.deepEqual(raw.shown(1), ["Invoke 1/1 20", "Message 1/2 3", ...(closes ? ["CloseSend 1/3"] : [])]);
  });
}

test("Receive after the peer's end gives the queued messages first, whatever the end (checklist 33)", async () => {
  for (const end of [
    frame(Kind.CloseSend, 1, 3),
    frame(Kind.Close, 1, 3),
    frame(Kind.Cancel, 1, 3),
    errorFrame(1, 3, 5n, "no"),
  ]) {
    const all = setup("multiplexed");
    const responses = all.client.serverStream({})[Symbol.asyncIterator]();
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(join([frame(Kind.Message, 1, 1, msg({ n: 1n })), frame(Kind.Message, 1, 2, msg({ n: 2n })), end]));
    await probe(all, 2);
    assert.equal((await responses.next()).value?.n, 1n);
    assert.equal((await responses.next()).value?.n, 2n);
    const last = await responses.next().catch((reason: Error) => reason);
    assert.ok(last instanceof Error || last.done === true);
    assert.deepEqual(await responses.next(), { done: true, value: undefined });
  }
});

test("Abort writes Cancel with the control flag and the next message id, and the connection is usable (checklist 38)", async () => {
  const all = setup();
  const controller = new AbortController();
  const call = all.client.unary({}, { signal: controller.signal });
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  controller.abort();
  await assert.rejects(call, { code: Code.Canceled });
  await probe(all, 2);
  assert.deepEqual(raw.shown(1), ["Invoke 1/1 21", "Message 1/2", "CloseSend 1/3", "Cancel 1/4 control"]);
  assert.match(Buffer.from(raw.bytes).toString("hex"), /89010400/);
});

test("Abort during a multi-frame message: Cancel has a higher message id than the unfinished one (checklist 39)", async () => {
  const all = setup();
  const controller = new AbortController();
  const raw = all.peer();
  const call = all.client.identity({ data: new Uint8Array(3_000_000) }, { signal: controller.signal });
  await (await raw).frame(Kind.Message, 1);
  (await raw).pause();
  controller.abort();
  await assert.rejects(call, { code: Code.Canceled });
  (await raw).resume();
  await probe(all, 2);
  const shown = (await raw).shown(1);
  assert.equal(shown.at(-1), "Cancel 1/3 control");
  assert.ok(
    shown.slice(1, -1).every((each) => each === "Message 1/2 more 65536"),
    shown.join(),
  );
});

test("Abort after the end of the stream writes nothing (checklist 40)", async () => {
  const all = setup();
  const controller = new AbortController();
  const call = all.client.unary({}, { signal: controller.signal });
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(join([frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2)]));
  await call;
  controller.abort();
  await probe(all, 2);
  assert.deepEqual(raw.shown(1), ["Invoke 1/1 21", "Message 1/2", "CloseSend 1/3"]);
});

test("Cancel from the server gives a canceled error (checklist 41)", async () => {
  const all = setup();
  const responses = all.client.serverStream({})[Symbol.asyncIterator]();
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Cancel, 1, 1));
  await assert.rejects(responses.next(), { code: Code.Canceled });
  await probe(all, 2);
});

test("Frames of finished streams are ignored (checklist 42)", async () => {
  const all = setup();
  const raw = await probe(all, 1);
  raw.write(
    frame(Kind.Message, 1, 7, "late"),
    frame(Kind.CloseSend, 1, 8),
    frame(Kind.Close, 1, 9),
    frame(Kind.Cancel, 1, 10),
    errorFrame(1, 11, 5n, "late"),
    frame(Kind.Message, 1, 1, "older"),
    frame(9, 1, 12, "unknown"),
  );
  await probe(all, 2);
});

test("An unknown kind with control is ignored, without control it ends the connection (checklist 43)", async () => {
  const all = setup();
  const call = all.client.unary({});
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(
    frame(20, 1, 1, "?", { control: true }),
    frame(20, 9, 1, "?", { control: true }),
    frame(20, 0, 1, "?", { control: true }),
  );
  raw.write(frame(20, 1, 2, "?"));
  await assert.rejects(call, { code: Code.Internal, message: /protocol error: .*kind 20/ });
  await raw.ended;
});

for (const kind of [Kind.Invoke, Kind.InvokeMetadata] as const) {
  test(`Kind ${kind} from the server ends the connection (checklist 44)`, async () => {
    const all = setup();
    const call = all.client.unary({});
    const raw = await all.peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(frame(kind, 1, 1));
    await assert.rejects(call, { code: Code.Internal, message: /protocol error/ });
    await raw.ended;
  });
}

test("End of connection fails all active rpcs, and a later one dials again (checklist 45)", async () => {
  const all = setup("multiplexed");
  const calls = Array.from({ length: 5 }, () => all.client.unary({}));
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 5);
  raw.close();
  for (const call of calls) {
    await assert.rejects(call, {
      code: Code.Unavailable,
      message: /Echo\/Unary: the connection to in-memory server was closed by the peer/,
    });
  }
  const again = all.client.unary({});
  const second = await all.peer(1);
  await second.frame(Kind.CloseSend, 1);
  second.write(frame(Kind.Message, 1, 1, msg({ text: "yes" })));
  assert.equal((await again).text, "yes");
});

test("An answer received in full before the end of the connection is delivered (checklist 46)", async () => {
  const all = setup("multiplexed");
  const unary = all.client.unary({});
  const responses = all.client.serverStream({})[Symbol.asyncIterator]();
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 1, 1, msg({ text: "yes" })));
  raw.write(frame(Kind.Message, 2, 1, msg({ n: 1n })), frame(Kind.CloseSend, 2, 2));
  raw.close();
  assert.equal((await unary).text, "yes");
  assert.equal((await responses.next()).value?.n, 1n);
  assert.equal((await responses.next()).done, true);
});

test("Mux mode: 100 concurrent unary calls on one connection, answered in reverse, give the right answers (checklist 49)", async () => {
  const all = setup("multiplexed");
  const calls = Array.from({ length: 100 }, (_, index) => all.client.unary({ n: BigInt(index) }));
  const raw = await all.peer();
  await raw.frame(Kind.CloseSend, 100);
  for (let stream = 100; stream > 0; stream--) {
    raw.write(frame(Kind.Message, stream, 1, msg({ n: BigInt(stream) })), frame(Kind.CloseSend, stream, 2));
  }
  const answers = await Promise.all(calls);
  assert.deepEqual(
    answers.map(({ n }) => Number(n)),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  assert.equal(all.peers.length, 1);
});

test("A call with a local deadline cancels the stream when it passes (checklist 50)", async (t) => {
  const all = setup();
  {
    using pass = useFakeTime(t);
    const call = all.client.unary({}, { timeoutMs: 5 });
    const ended = assert.rejects(call, { code: Code.DeadlineExceeded, message: /timeoutMs was 5/ });
    await pass(4);
    const raw = await all.peer();
    assert.equal(raw.shown(1).at(-1), "CloseSend 1/4");
    await pass(1);
    await ended;
    assert.equal(raw.shown(1).at(-1), "Cancel 1/5 control");
  }
  await probe(all, 2);
});
