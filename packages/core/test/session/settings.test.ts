// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessionTransport, type Metadata } from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { gopeer, gopeerMessages } from "@ts-drpc-internal/fixtures";
import { encodeBase64 } from "../../src/wire/base64.js";
import { Kind } from "../../src/wire/kind.js";
import { decodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { decodeSettings, encodeSettings, type Settings } from "../../src/wire/settings-payload.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { dialRawServer, errorFrame, frame, invoke, join, RawPeer, serveRawClient } from "../raw-peer.js";

const settings: Settings = {
  version: 1,
  windowBytes: 100_000,
  maxMessageBytes: 50_000,
  maxConcurrentStreams: 7,
  connectionWindowBytes: 0,
  compressions: 0,
};
const announcement = encodeBase64(encodeSettings(settings), "url");
const echo = (name: string): string => `/gopeer.v1.Echo/${name}`;

/** Answers the announcement of a client's first call, and waits for the acknowledgement. */
async function acknowledge(raw: RawPeer, stream = 1): Promise<void> {
  await raw.frame(Kind.Invoke, stream);
  raw.write(frame(Kind.Settings, stream, 1, encodeSettings(settings)));
  await raw.frame(Kind.Settings, stream);
}

test("the ts-drpc key is hidden from the handler, and answered by a Settings frame before the handler runs", async () => {
  const seen: Metadata[] = [];
  let framesBefore: number | undefined;
  const { peer } = serveRawClient((router) =>
    gopeer.registerEcho(router, {
      async *bidi(_requests, { metadata }) {
        seen.push(metadata);
        framesBefore = peer.frames.length;
        yield {};
      },
    }),
  );
  peer.write(invoke(1, echo("Bidi"), { "ts-drpc": announcement, mine: "yes" }));
  await peer.frame(Kind.Message, 1);
  assert.deepEqual(peer.shown().slice(0, 2), ["Settings 1/1 control 21", "Message 1/2"]);
  assert.equal(framesBefore, 0);
  assert.deepEqual([...(seen[0] as Metadata)], [["mine", "yes"]]);
  assert.deepEqual(decodeSettings((await peer.frame(Kind.Settings, 1)).data), {
    version: 1,
    // An even share of a third of what the connection may hold, less a message: (16 MiB - 4 MiB) / 3 / 256.
    windowBytes: 16 * 1024,
    maxMessageBytes: 4 * 1024 * 1024,
    maxConcurrentStreams: 256,
    connectionWindowBytes: 12 * 1024 * 1024 - 64 * 1024 - 64,
    compressions: 0,
  });
});

test("a client announces its settings with the first call, and acknowledges the answer with a Settings frame", async () => {
  const { transport, peer } = dialRawServer({ windowBytes: 12_345, maxMessageBytes: 54_321 });
  const client = gopeer.createEchoClient(transport);
  const call = client.unary({ text: "a" }, { metadata: { mine: "yes" } });
  const raw = await peer();
  await acknowledge(raw);
  const own = {
    version: 1,
    windowBytes: 12_345,
    maxMessageBytes: 54_321,
    maxConcurrentStreams: 0,
    connectionWindowBytes: 16_722_895 - 64 * 1024 - 64,
    compressions: 0,
  };
  const entries = decodeMetadataPayload((await raw.frame(Kind.InvokeMetadata, 1)).data);
  assert.deepEqual(entries, [
    ["mine", "yes"],
    ["ts-drpc", encodeBase64(encodeSettings(own), "url")],
  ]);
  assert.deepEqual(decodeSettings((await raw.frame(Kind.Settings, 1)).data), own);
  raw.write(frame(Kind.Message, 1, 2, msg({})), frame(Kind.CloseSend, 1, 3));
  await call;
  const second = client.unary({});
  await raw.frame(Kind.CloseSend, 2);
  assert.deepEqual(raw.shown(2), ["Invoke 2/1 21", "Message 2/2", "CloseSend 2/3"]);
  raw.write(frame(Kind.Message, 2, 1, msg({})), frame(Kind.CloseSend, 2, 2));
  await second;
});

test("an error that may refuse a call whose announcement was not read decides nothing, and the next call asks again", async () => {
  for (const [code, asksAgain] of [
    [8n, true],
    [14n, true],
    [4n, true],
    [5n, false],
    [0n, false],
  ] as const) {
    const { transport, peer } = dialRawServer();
    const client = gopeer.createEchoClient(transport);
    const refused = client.unary({});
    const raw = await peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(errorFrame(1, 1, code, "no"));
    await assert.rejects(refused);
    const next = client.unary({});
    await raw.frame(Kind.CloseSend, 2);
    assert.equal(raw.shown(2)[0]?.startsWith("InvokeMetadata"), asksAgain, `code ${code}`);
    raw.write(frame(Kind.Message, 2, 1, msg({})), frame(Kind.CloseSend, 2, 2));
    await next;
    await transport.close();
  }
});

test("calls that wait for the answer go out on the same connection as soon as it is there", async () => {
  const { transport, peer, peers } = dialRawServer();
  const client = gopeer.createEchoClient(transport);
  const calls = Array.from({ length: 20 }, () => client.unary({}));
  const raw = await peer();
  await acknowledge(raw);
  // The server takes seven at once, as it said.
  await raw.frame(Kind.CloseSend, 7);
  for (let stream = 1; stream <= 20; stream++) {
    await raw.frame(Kind.CloseSend, stream);
    assert.ok((raw.frames.at(-1)?.stream ?? 0) <= stream + 6);
    raw.write(join([frame(Kind.Message, stream, 2, msg({})), frame(Kind.CloseSend, stream, 3)]));
  }
  await Promise.all(calls);
  assert.equal(peers.length, 1);
});

test("flow control is on afterwards: a message beyond the peer's window waits for a grant", async () => {
  const { transport, peer } = dialRawServer();
  const client = gopeer.createEchoClient(transport);
  const first = client.unary({});
  const raw = await peer();
  await acknowledge(raw);
  raw.write(frame(Kind.Message, 1, 2, msg({})), frame(Kind.CloseSend, 1, 3));
  await first;
  let sent = 0;
  const call = client.clientStream(
    (async function* () {
      for (; sent < 10; sent++) {
        yield { data: new Uint8Array(40_000) };
      }
    })(),
  );
  await raw.until(
    ({ frames }) => frames.filter(({ kind, stream }) => kind === Kind.Message && stream === 2).length === 2,
  );
  // 100,000 minus two messages does not cover a third one.
  const other = client.unary({});
  await raw.frame(Kind.CloseSend, 3);
  assert.equal(raw.shown(2).filter((shown) => shown.startsWith("Message")).length, 2);
  raw.write(frame(Kind.Message, 3, 1, msg({})), frame(Kind.CloseSend, 3, 2));
  await other;
  raw.write(frame(Kind.WindowUpdate, 2, 0, Uint8Array.of(0xff, 0xff, 0x7f)));
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 2, 1, msg({ n: 10n })), frame(Kind.CloseSend, 2, 2));
  assert.equal((await call).n, 10n);
});

test("a server grants what was taken to a peer that acknowledged, and nothing to one that did not", async () => {
  for (const acknowledged of [true, false]) {
    const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), {
      windowBytes: 100_000,
    });
    peer.write(invoke(1, echo("Bidi"), { "ts-drpc": announcement }));
    await peer.frame(Kind.Settings, 1);
    if (acknowledged) {
      peer.write(frame(Kind.Settings, 1, 3, encodeSettings(settings)));
    }
    for (let message = 4; message < 14; message++) {
      peer.write(frame(Kind.Message, 1, message, msg({ data: new Uint8Array(10_000) })));
    }
    await peer.until(({ frames }) => frames.filter(({ kind }) => kind === Kind.Message).length === 10);
    peer.write(frame(Kind.CloseSend, 1, 14));
    await peer.frame(Kind.CloseSend, 1);
    const grants = peer.frames.filter(({ kind }) => kind === Kind.WindowUpdate);
    assert.equal(grants.length > 0, acknowledged);
    assert.ok(grants.every(({ message, control, done }) => message === 0 && control && done));
  }
});

test("an announcement that a gateway forwarded, of a peer that never acknowledges, changes nothing", async () => {
  const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), { windowBytes: 10_000 });
  for (let stream = 1; stream <= 3; stream++) {
    peer.write(invoke(stream, echo("Bidi"), { "ts-drpc": announcement }));
    // More than any of the windows, in both directions, without a single grant.
    for (let message = 3; message < 33; message++) {
      peer.write(frame(Kind.Message, stream, message, msg({ data: new Uint8Array(9_000), text: "x" })));
    }
    peer.write(frame(Kind.CloseSend, stream, 33));
    await peer.frame(Kind.CloseSend, stream);
    const kinds = new Set(peer.frames.filter((each) => each.stream === stream).map(({ kind }) => kind));
    assert.deepEqual([...kinds], [Kind.Settings, Kind.Message, Kind.CloseSend]);
    assert.equal(peer.frames.filter((each) => each.stream === stream && each.kind === Kind.Message).length, 30);
  }
});

test("settings that nobody asked for are ignored", async () => {
  const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
  peer.write(
    invoke(1, echo("Bidi")),
    frame(Kind.Settings, 1, 2, encodeSettings(settings)),
    frame(Kind.CloseSend, 1, 3),
  );
  await peer.frame(Kind.CloseSend, 1);
  const { transport, peer: server } = dialRawServer({ peer: "sequential" });
  const call = gopeer.createEchoClient(transport).unary({});
  const raw = await server();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Settings, 1, 1, encodeSettings(settings)), frame(Kind.Message, 1, 2, msg({})));
  await call;
  await raw.frame(Kind.Close, 1);
  assert.equal(
    raw.frames.some(({ kind }) => kind === Kind.Settings),
    false,
  );
});

test("an announcement that is no base64, or no settings, is ignored, and a Settings frame that is none ends the connection", async () => {
  const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
  peer.write(invoke(1, echo("Unary"), { "ts-drpc": "?!" }), frame(Kind.Message, 1, 3));
  await peer.frame(Kind.CloseSend, 1);
  assert.equal(peer.shown(1)[0], "Message 1/1 2");
  peer.write(invoke(2, echo("Bidi"), { "ts-drpc": announcement }));
  await peer.frame(Kind.Settings, 2);
  peer.write(frame(Kind.Settings, 2, 3, Uint8Array.of(0x0d, 1)));
  assert.match((await served.closed)?.message ?? "", /protocol error: the peer's settings are malformed/);
});

test("settings that come too late, on a call that is over, do not confuse the next exchange", async () => {
  const { transport, peer } = dialRawServer();
  const client = gopeer.createEchoClient(transport);
  const controller = new AbortController();
  const first = client.unary({}, { signal: controller.signal });
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  // The first half of an answer, then the call is gone, then the answer to the second announcement.
  const body = encodeSettings(settings);
  raw.write(frame(Kind.Settings, 1, 5, body.subarray(0, 3), { done: false }));
  await new Promise((resolve) => setTimeout(resolve, 0));
  controller.abort();
  await assert.rejects(first);
  const second = client.unary({});
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Settings, 1, 5, body.subarray(3)));
  await acknowledge(raw, 2);
  raw.write(frame(Kind.Message, 2, 2, msg({})), frame(Kind.CloseSend, 2, 3));
  await second;
});

test("a first call that stays open does not hold up the others when no answer comes", async (t) => {
  // As if it took no time to connect.
  t.mock.method(performance, "now", () => 0);
  const { transport, peer } = dialRawServer({ maxConnections: 2 });
  const client = gopeer.createEchoClient(transport);
  const responses = client.block({})[Symbol.asyncIterator]();
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const call = client.unary({});
  t.mock.timers.tick(100);
  t.mock.timers.reset();
  const other = await peer(1);
  await other.frame(Kind.CloseSend, 1);
  other.write(frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2));
  await call;
  await responses.return?.();
  await transport.close();
});

test("calls wait longer for the answer where it took long to connect", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const dialled: RawPeer[] = [];
  const transport = createSessionTransport(async () => {
    const { client, server } = createConnectionPair();
    dialled.push(new RawPeer(server));
    now += 150;
    return client;
  });
  const client = gopeer.createEchoClient(transport);
  const responses = client.block({})[Symbol.asyncIterator]();
  const first = responses.next();
  while (dialled.length === 0) {
    await new Promise(setImmediate);
  }
  await dialled[0]?.frame(Kind.CloseSend, 1);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const call = client.unary({});
  t.mock.timers.tick(449);
  await Promise.resolve();
  assert.equal(dialled.length, 1);
  t.mock.timers.tick(1);
  t.mock.timers.reset();
  await Promise.resolve();
  assert.equal(dialled.length, 2);
  await dialled[1]?.frame(Kind.CloseSend, 1);
  dialled[1]?.write(frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2));
  await call;
  await responses.return?.();
  await first;
  await transport.close();
});

test("the schema of a response does not matter to the exchange: any kind of first call will do", async () => {
  for (const method of gopeerMessages.Echo.methods) {
    const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
    peer.write(invoke(1, echo(method.name), { "ts-drpc": announcement }));
    await peer.frame(Kind.Settings, 1);
    assert.equal(peer.shown()[0], "Settings 1/1 control 21");
    peer.close();
  }
});
