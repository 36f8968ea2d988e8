// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Code,
  createRouter,
  createSessionTransport,
  type DrpcError,
  type ServeOptions,
  type SessionTransportOptions,
  serveConnection,
} from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { Kind } from "../../src/wire/kind.js";
import { dialRawServer, frame, invoke, join, RawPeer, serveRawClient } from "../raw-peer.js";

const say = "/echo.v1.EchoService/Say";

function connect(
  client: SessionTransportOptions,
  server: ServeOptions,
  handler = new EchoHandler(),
): EchoServiceClient {
  return createEchoServiceClient(
    createRouterTransport((router) => registerEchoService(router, handler), { client, server }),
  );
}

function serve(options: ServeOptions): ReturnType<typeof serveRawClient> {
  return serveRawClient((router) => registerEchoService(router, new EchoHandler()), options);
}

/** Returns the code and the text of the Error that a stream gets. */
async function refusal(peer: RawPeer, stream: number): Promise<string> {
  const { data } = await peer.frame(Kind.Error, stream);
  return `${data[7]} ${Buffer.from(data.subarray(8)).toString()}`;
}

async function probe(peer: RawPeer, stream: number): Promise<void> {
  peer.write(invoke(stream, say), frame(Kind.Message, stream, 2), frame(Kind.CloseSend, stream, 3));
  await peer.frame(Kind.CloseSend, stream);
}

const attachment = new Uint8Array(1_000);

test("maxMessageBytes: a request above it fails before anything is sent, and the call did not start", async () => {
  const { transport, peers } = dialRawServer({ maxMessageBytes: 999, peer: "sequential" });
  const call = createEchoServiceClient(transport).say({ attachment });
  await assert.rejects(call, (error: DrpcError) => {
    assert.equal(error.code, Code.ResourceExhausted);
    assert.match(
      error.message,
      /\/echo.v1.EchoService\/Say: a message of 1003 bytes was not sent, the limit maxMessageBytes is 999/,
    );
    return true;
  });
  assert.equal(peers[0] === undefined || peers[0].frames.length === 0, true);
});

test("maxMessageBytes: a request that is too large says notStarted if the handler was not called, with the option and what to do", async () => {
  const client = connect({ maxSendMessageBytes: 999 }, {});
  async function* requests(count: number): AsyncGenerator<{ sentence?: string; attachment?: Uint8Array }> {
    for (let index = 1; index < count; index++) {
      yield { sentence: "small" };
    }
    yield { attachment };
  }
  const hint = "the limit maxSendMessageBytes is 999: raise it on both sides, or send the message in parts";
  const calls = [
    ["Say", () => client.say({ attachment }), true],
    ["Repeat", () => client.repeat({ attachment })[Symbol.asyncIterator]().next(), true],
    // These handlers are called before the first request has come.
    ["Join", () => client.join(requests(1)), false],
    ["Join", () => client.join(requests(2)), false],
    ["Chat", () => client.chat(requests(1))[Symbol.asyncIterator]().next(), false],
  ] as const;
  for (const [name, call, notStarted] of calls) {
    await assert.rejects(call(), {
      code: Code.ResourceExhausted,
      notStarted,
      rawMessage: `/echo.v1.EchoService/${name}: a message of 1003 bytes was not sent, ${hint}`,
    });
  }
});

test("maxMessageBytes: a request that is too large is not tried again, though the user asked for it", async () => {
  const { transport } = dialRawServer({ maxMessageBytes: 999, peer: "sequential" });
  const retry = { maxAttempts: 4, codes: [Code.ResourceExhausted], initialBackoffMs: 3_600_000 };
  const call = createEchoServiceClient(transport).say({ attachment }, { retry });
  await assert.rejects(call, { code: Code.ResourceExhausted, notStarted: true });
});

test("maxSendMessageBytes: a side may send more than it takes, or less", async () => {
  class LargeAnswers extends EchoHandler {
    override say(): { sentence: string; attachment: Uint8Array } {
      return { sentence: "", attachment };
    }
  }
  const client = connect({}, { maxMessageBytes: 500, maxSendMessageBytes: 3_000 }, new LargeAnswers());
  assert.equal((await client.say({})).attachment.length, 1_000);
  const { transport } = dialRawServer({ maxSendMessageBytes: 999, peer: "sequential" });
  await assert.rejects(createEchoServiceClient(transport).say({ attachment }), {
    code: Code.ResourceExhausted,
    message: /a message of 1003 bytes was not sent, the limit maxSendMessageBytes is 999/,
  });
});

test("maxMessageBytes: once it is known, the peer's own limit counts too", async () => {
  const client = connect({}, { maxMessageBytes: 500 });
  await client.say({});
  await assert.rejects(client.say({ attachment }), {
    message: /1003 bytes was not sent, the peer's limit maxMessageBytes is 500/,
  });
  const replies = client.chat(
    (async function* () {
      yield { attachment };
    })(),
  );
  await assert.rejects(replies[Symbol.asyncIterator]().next(), { message: /the peer's limit maxMessageBytes is 500/ });
  await client.say({});
});

test("maxMessageBytes: a request above the server's is refused by its header, and other calls go on", async () => {
  const { peer } = serve({ maxMessageBytes: 999 });
  const tooLarge = frame(Kind.Message, 1, 2, new Uint8Array(1_000));
  peer.write(invoke(1, say), tooLarge.subarray(0, 8));
  assert.equal(
    await refusal(peer, 1),
    `8 ${say}: the peer sent a Message of at least 1000 bytes, the limit maxMessageBytes is 999: raise it on the side that receives, or send less`,
  );
  peer.write(tooLarge.subarray(8));
  await probe(peer, 2);
});

test("maxMessageBytes: exactly as large is accepted, and frames are counted together (checklist 20, checklist 21)", async () => {
  const { peer } = serve({ maxMessageBytes: 1_003 });
  const body = join([Uint8Array.of(0x12, 0xe8, 0x07), attachment]);
  peer.write(
    invoke(1, say),
    frame(Kind.Message, 1, 2, body.subarray(0, 600), { done: false }),
    frame(Kind.Message, 1, 2, body.subarray(600)),
  );
  await peer.frame(Kind.CloseSend, 1);
  peer.write(
    invoke(2, say),
    frame(Kind.Message, 2, 2, body, { done: false }),
    frame(Kind.Message, 2, 2, "x", { done: false }),
  );
  assert.match(await refusal(peer, 2), /a Message of at least 1004 bytes, the limit maxMessageBytes is 1003/);
  await probe(peer, 3);
});

test("maxMessageBytes: a response above the client's cancels its call, and the connection stays (checklist 83)", async () => {
  const { transport, peer, peers } = dialRawServer({ maxMessageBytes: 999, peer: "sequential" });
  const client = createEchoServiceClient(transport);
  const call = client.say({});
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Message, 1, 1, new Uint8Array(1_000)));
  await assert.rejects(call, {
    code: Code.ResourceExhausted,
    message: /sent a Message of at least 1000 bytes, the limit maxMessageBytes is 999/,
  });
  await raw.frame(Kind.Cancel, 1);
  const second = client.say({});
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 2, 1));
  await second;
  assert.equal(peers.length, 1);
});

test("maxMessageBytes: a handler's response above it is ResourceExhausted for its caller", async () => {
  const handler = new EchoHandler();
  const client = connect({}, { maxMessageBytes: 500 }, handler);
  handler.say = () => ({ sentence: "", attachment });
  await assert.rejects(client.say({}), {
    code: Code.ResourceExhausted,
    message: /1003 bytes was not sent, the limit maxMessageBytes is 500/,
  });
});

test("maxMetadataBytes: metadata above it is not sent, or refused, and so is a longer path", async () => {
  const client = connect({ maxMetadataBytes: 500 }, {});
  await assert.rejects(client.say({}, { metadata: { a: "b".repeat(500) } }), {
    code: Code.ResourceExhausted,
    notStarted: true,
    message: /metadata of 5\d\d bytes was not sent, the limit maxMetadataBytes is 500/,
  });
  const { peer } = serve({ maxMetadataBytes: 500 });
  peer.write(invoke(1, say, { a: "b".repeat(500) }), frame(Kind.Message, 1, 3), frame(Kind.CloseSend, 1, 4));
  assert.match(
    await refusal(peer, 1),
    /^8 InvokeMetadata of at least 509 bytes, the limit maxMetadataBytes is 500: raise it on the server, or send less$/,
  );
  peer.write(invoke(2, `/${"x".repeat(500)}`), frame(Kind.CloseSend, 2, 2));
  assert.match(
    await refusal(peer, 2),
    /^8 Invoke of at least 501 bytes, the limit maxMetadataBytes is 500: raise it on the server, or send less$/,
  );
  await probe(peer, 3);
  assert.deepEqual(
    peer.shown().map((shown) => shown.split(" ").slice(0, 2).join(" ")),
    ["Error 1/1", "Error 2/1", "Message 3/1", "CloseSend 3/2"],
  );
});

test("maxMetadataKeys: more entries are refused, each counted", async () => {
  const { peer } = serve({ maxMetadataKeys: 2 });
  peer.write(invoke(1, say, { a: "1", b: "2", c: "3" }), frame(Kind.Message, 1, 3), frame(Kind.CloseSend, 1, 4));
  assert.equal(
    await refusal(peer, 1),
    "8 metadata of 3 entries, the limit maxMetadataKeys is 2: raise it on the server, or send fewer",
  );
  peer.write(invoke(2, say, { a: "1", b: "2" }), frame(Kind.Message, 2, 3), frame(Kind.CloseSend, 2, 4));
  await peer.frame(Kind.CloseSend, 2);
});

test("maxConcurrentStreams: a place is free again only when the handler has settled and the stream has ended", async () => {
  const settle: (() => void)[] = [];
  const { peer } = serveRawClient(
    (router) =>
      registerEchoService(router, {
        say: ({ sentence }) => ({ sentence }),
        join: () => new Promise((resolve) => settle.push(() => resolve({}))),
        async *chat() {},
      }),
    { maxConcurrentStreams: 1 },
  );
  const join = "/echo.v1.EchoService/Join";
  // Canceled, but the handler goes on.
  peer.write(invoke(1, join), frame(Kind.Cancel, 1, 2), invoke(2, say));
  assert.match(
    await refusal(peer, 2),
    /^8 too many concurrent streams: the limit maxConcurrentStreams is 1: raise it on the server, or make fewer calls at once$/,
  );
  settle[0]?.();
  await Promise.resolve();
  await probe(peer, 3);
  // Settled, but the caller goes on.
  peer.write(invoke(4, "/echo.v1.EchoService/Chat"));
  await peer.frame(Kind.CloseSend, 4);
  peer.write(invoke(5, say));
  assert.match(await refusal(peer, 5), /maxConcurrentStreams/);
  peer.write(frame(Kind.CloseSend, 4, 2));
  await probe(peer, 6);
});

test("maxConcurrentStreams: a client whose peer has said its limit waits instead of being refused", async () => {
  const client = connect({}, { maxConcurrentStreams: 3 });
  const calls = Array.from({ length: 50 }, (_, index) => client.say({ sentence: String(index) }));
  assert.deepEqual(
    (await Promise.all(calls)).map(({ sentence }) => sentence),
    Array.from({ length: 50 }, (_, index) => String(index)),
  );
});

test("maxBufferedBytes: the stream that goes above it fails, others go on, and unfinished messages count", async () => {
  const { peer } = serveRawClient(
    (router) =>
      registerEchoService(router, { say: ({ sentence }) => ({ sentence }), join: () => new Promise(() => undefined) }),
    { maxBufferedBytes: 100_000, maxMessageBytes: 40_000, windowBytes: 40_000 },
  );
  for (let stream = 1; stream <= 4; stream++) {
    peer.write(
      invoke(stream, "/echo.v1.EchoService/Join"),
      frame(Kind.Message, stream, 2, new Uint8Array(30_000), { done: stream % 2 === 0 }),
    );
  }
  assert.match(
    await refusal(peer, 4),
    /Join: 1\d\d\d\d\d bytes wait unread on the connection, the limit maxBufferedBytes is 100000: read faster, send less at once, or raise it$/,
  );
  peer.write(frame(Kind.Cancel, 2, 3));
  await probe(peer, 5);
});

test("maxBufferedBytes: the stream that holds the most is to blame, not the one for which something comes", async () => {
  const { peer } = serveRawClient(
    (router) =>
      registerEchoService(router, { say: ({ sentence }) => ({ sentence }), join: () => new Promise(() => undefined) }),
    { maxBufferedBytes: 100_000, maxMessageBytes: 60_000, windowBytes: 40_000 },
  );
  for (const [stream, bytes] of [
    [1, 20_000],
    [2, 50_000],
    [3, 20_000],
    [4, 20_000],
  ] as const) {
    peer.write(invoke(stream, "/echo.v1.EchoService/Join"), frame(Kind.Message, stream, 2, new Uint8Array(bytes)));
  }
  assert.match(await refusal(peer, 2), /Join: 1\d\d\d\d\d bytes wait unread on the connection/);
  await probe(peer, 5);
  assert.deepEqual(peer.shown(4), []);
});

test("maxBufferedBytes: calls that are being announced count", async () => {
  const { peer, served } = serve({ maxBufferedBytes: 100_000, maxMessageBytes: 40_000, windowBytes: 40_000 });
  for (let stream = 1; stream <= 4; stream++) {
    peer.write(frame(Kind.InvokeMetadata, stream, 1, new Uint8Array(30_000), { done: false }));
  }
  assert.match(
    await refusal(peer, 4),
    /^8 1\d\d\d\d\d bytes wait unread on the connection, the limit maxBufferedBytes is 100000: read faster, send less at once, or raise it$/,
  );
  peer.write(frame(Kind.Cancel, 1, 2));
  await probe(peer, 5);
  peer.close();
  await served.closed;
});

test("maxUnsentBytes: a peer that does not read stops being read from, and nothing is lost", async () => {
  const { peer, served } = serve({ maxUnsentBytes: 1_000 });
  peer.pause();
  for (let stream = 1; stream <= 2_000; stream++) {
    peer.write(invoke(stream, "/nobody.Serves/This"));
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  peer.resume();
  await peer.frame(Kind.Error, 2_000);
  assert.equal(peer.frames.length, 2_000);
  peer.close();
  await served.closed;
});

test("maxUnsentBytes: a connection that takes everything at once never stops", async () => {
  const { client, server } = createConnectionPair({ highWaterBytes: Number.POSITIVE_INFINITY });
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  serveConnection(server, router, { maxUnsentBytes: 1_000 });
  const peer = new RawPeer(client);
  const calls = Array.from({ length: 500 }, (_, index) => invoke(index + 1, "/nobody.Serves/This"));
  peer.write(join(calls));
  await peer.frame(Kind.Error, 500);
  await probe(peer, 501);
});

test("a wrong option is refused with its name, its limit and its value", () => {
  const dial = (): Promise<never> => Promise.reject(new Error("not dialled"));
  for (const name of [
    "maxMessageBytes",
    "maxMetadataBytes",
    "maxMetadataKeys",
    "maxConcurrentStreams",
    "windowBytes",
    "maxBufferedBytes",
    "maxUnsentBytes",
    "invokeTimeoutMs",
    "maxConnections",
    "defaultTimeoutMs",
  ]) {
    for (const value of [0, -1, 1.5, Number.NaN, 2 ** 31, "7"]) {
      assert.throws(() => createSessionTransport(dial, { [name]: value }), {
        name: "RangeError",
        message: `${name} must be a whole number from 1 to 2147483647, got ${typeof value === "string" ? `"${value}"` : value}`,
      });
    }
  }
  assert.throws(() => createSessionTransport(dial, { peer: "go" as "auto" }), {
    name: "RangeError",
    message: /peer must be .*, got "go"/,
  });
});
