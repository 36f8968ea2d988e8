// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessionTransport } from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { gopeer, toHex } from "@ts-drpc-internal/fixtures";
import { createRouter } from "../../src/rpc/router.js";
import { serveConnection } from "../../src/rpc/serve-connection.js";
import { Kind } from "../../src/wire/kind.js";
import { MigrateHeaderReader, migrateHeader } from "../../src/wire/migrate-header.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { dialRawServer, frame, invoke, join, RawPeer, serveRawClient } from "../raw-peer.js";

const unary = (stream: number): Uint8Array =>
  join([
    invoke(stream, "/gopeer.v1.Echo/Unary"),
    frame(Kind.Message, stream, 2, msg({ text: "x" })),
    frame(Kind.CloseSend, stream, 3),
  ]);

test("with the option the first eight bytes of a client are DRPC!!!1, once (checklist 89)", async () => {
  const { client, server } = createConnectionPair();
  let written = new Uint8Array(0);
  server.start({
    data(chunk) {
      written = join([written, chunk]) as Uint8Array<ArrayBuffer>;
    },
    writable() {},
    end() {},
  });
  const transport = createSessionTransport(async () => client, { migrateHeader: true, peer: "multiplexed" });
  const echo = gopeer.createEchoClient(transport);
  const calls = [echo.unary({ text: "a" }), echo.unary({ text: "b" })].map((call) => assert.rejects(call));
  while (written.length < 40) {
    await new Promise(setImmediate);
  }
  assert.equal(toHex(written.subarray(0, 8)), "4452504321212131");
  assert.equal(new TextDecoder().decode(written).split("DRPC!!!1").length, 2);
  client.abort();
  await Promise.all(calls);
});

test("without the option a client sends no header", async () => {
  const { transport, peer } = dialRawServer({ peer: "sequential" });
  const call = gopeer.createEchoClient(transport).unary({});
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  assert.equal(raw.bytes[0], 0x03);
  raw.write(frame(Kind.Message, 1, 1, msg({})), frame(Kind.CloseSend, 1, 2));
  await call;
  await transport.close();
});

test("a server serves connections with and without the header, wherever it is cut (checklist 90)", async () => {
  for (const header of [new Uint8Array(0), migrateHeader]) {
    for (const chunkBytes of [1, 3, 7, 8, 9, 1_000]) {
      const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), {}, { chunkBytes });
      peer.write(header, unary(1));
      await peer.frame(Kind.CloseSend, 1);
      assert.deepEqual(peer.shown(1).length, 2);
      peer.close();
    }
  }
});

test("half a header, or one that goes on as something else, is no DRPC", async () => {
  const router = createRouter();
  for (const [text, expected] of [
    ["DRPC!!!2, and more", /does not seem to speak DRPC/],
    ["DRPC!!!1DRPC!!!1", /does not seem to speak DRPC/],
    ["DRPC", undefined],
  ] as const) {
    const { client, server } = createConnectionPair();
    const served = serveConnection(server, router);
    const raw = new RawPeer(client);
    raw.write(new TextEncoder().encode(text));
    raw.close();
    const ended = await served.closed;
    assert.equal(
      expected === undefined ? ended : expected.test(ended?.message ?? ""),
      expected === undefined ? undefined : true,
      text,
    );
  }
});

test("what is held back of something that is no header is given back in front of the rest", () => {
  const reader = new MigrateHeaderReader();
  assert.equal(reader.read(new TextEncoder().encode("DRP")), undefined);
  assert.equal(reader.read(new TextEncoder().encode("C!")), undefined);
  assert.equal(new TextDecoder().decode(reader.read(new TextEncoder().encode("?x"))), "DRPC!?x");
});
