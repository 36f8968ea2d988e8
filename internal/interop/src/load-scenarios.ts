// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { gopeer } from "@ts-drpc-internal/fixtures";
import { certificates } from "@ts-drpc-internal/fixtures";
import { succeeded } from "./call-scenarios.js";
import type { GoClient } from "./go-program.js";
import { certificateFile, collect, type Harness, sleep, texts, until } from "./harness.js";
import type { Scenario } from "./scenario.js";

const MiB = 1024 * 1024;
const many = 10_000;

/** Much at once, and much in a row. */
export const loadScenarios: readonly Scenario[] = [
  {
    name: "10,000 messages in order, either way",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const messages = Array.from({ length: many }, (_, index) => `m${index}`);
      assert.equal((await echo.clientStream(texts(...messages))).text, messages.join(","));
      let last = 0n;
      for await (const { n } of echo.serverStream({ n: BigInt(many) })) {
        last++;
        assert.equal(n, last);
      }
      assert.equal(last, BigInt(many));
      const echoed = await collect(echo.bidi(texts(...messages)));
      assert.deepEqual(
        echoed.map(({ text }) => text),
        messages.map((text) => `echo:${text}`),
      );
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      assert.equal(succeeded(await client.stream("ClientStream", { sends: many, text: "m" })).n, String(many));
      for (const [method, call] of [
        ["ServerStream", { sends: 1, n: many }],
        ["Bidi", { sends: many, n: 1, text: "m" }],
      ] as const) {
        const result = succeeded(await client.stream(method, call));
        assert.deepEqual([result.received, result.n, result.inOrder], [many, String(many), true]);
      }
    },
  },
  {
    name: "a slow reader of 256 MiB: nothing is lost, and memory stays bounded",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      // The first call of a connection has more room, while the peer may still say that it has windows.
      await echo.unary({});
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      let count = 0n;
      for await (const { n, data } of echo.serverStream({ n: 4_096n, data: new Uint8Array(65_536) })) {
        count++;
        assert.deepEqual([n, data.length], [count, 65_536]);
        if (count % 64n === 0n) {
          await sleep(5);
          collectGarbage();
          const held = process.memoryUsage().arrayBuffers - before;
          assert.ok(held < 32 * MiB, `${held} bytes are held`);
        }
      }
      assert.equal(count, 4_096n);
    },
  },
  {
    name: "200 calls of all kinds at once, by a client that was told nothing",
    async calling(harness) {
      const server = await harness.goServer();
      await callAtOnce(harness.client(server, { peer: "auto" }), 200);
      const connections = await server.connections();
      assert.ok(connections > 1 && connections <= 8, `${connections} connections`);
      const ours = await harness.server();
      await callAtOnce(harness.client(ours, { peer: "auto" }), 200);
      assert.equal(ours.server.connectionCount, 1);
      return "up to 8 connections, and 1 to a ts-drpc server";
    },
    async serving(harness) {
      const { port } = await harness.server();
      const client = harness.goClient({ port });
      const calls = Array.from({ length: 200 }, (_, index) => goCall(client, index));
      await Promise.all(calls);
      return "8 connections of Go";
    },
  },
  {
    name: "TLS",
    async calling(harness) {
      const server = await harness.goServer(
        "-cert",
        certificateFile("server.pem"),
        "-key",
        certificateFile("server.key.pem"),
      );
      const tls = { ca: certificates.authority };
      const echo = harness.client(server, { host: "localhost", tls });
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      await callAtOnce(echo, 40);
    },
    async serving(harness) {
      const { port } = await harness.server({}, { tls: certificates.server });
      const client = harness.goClient({ port }, "-ca", certificateFile("authority.pem"));
      assert.equal(succeeded(await client.unary("Identity", { size: MiB })).size, MiB);
      await Promise.all(Array.from({ length: 40 }, (_, index) => goCall(client, index)));
    },
  },
  {
    name: "the server behind an address becomes a ts-drpc server, and a Go server again",
    calling: changeOfKind,
  },
];

function collectGarbage(): void {
  assert.ok(globalThis.gc !== undefined, "run with --expose-gc");
  globalThis.gc();
}

/** Makes calls of all kinds at once with one client, and checks what comes. */
export async function callAtOnce(echo: gopeer.EchoClient, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const text = `call ${index}`;
      const n = BigInt(index);
      switch (index % 4) {
        case 0:
          assert.equal((await echo.unary({ text, n })).n, n + 1n);
          return;
        case 1:
          assert.equal((await echo.clientStream(texts(text, text))).text, `${text},${text}`);
          return;
        case 2: {
          const responses = await collect(echo.serverStream({ text, n: 5n }));
          assert.equal(responses.at(-1)?.text, `${text}-5`);
          assert.equal(responses.length, 5);
          return;
        }
        default: {
          const responses = await collect(echo.bidi(texts(text, "b", "c")));
          assert.deepEqual(
            responses.map((response) => response.text),
            [`echo:${text}`, "echo:b", "echo:c"],
          );
        }
      }
    }),
  );
}

/** Makes a call of one of the four kinds with a Go client, and checks what comes. */
export async function goCall(client: GoClient, index: number, conn = `${index % 8}`): Promise<void> {
  const call = { conn, text: `call ${index}`, n: 4, sends: 1 };
  const method = (["Unary", "ServerStream", "Bidi", "ClientStream"] as const)[index % 4] ?? "Unary";
  const result = succeeded(await client.stream(method, { ...call, unary: method === "Unary" }));
  assert.ok(result.text.includes(call.text), result.text);
}

async function changeOfKind(harness: Harness): Promise<string> {
  const address = { port: 0 };
  const go = await harness.goServer();
  address.port = go.port;
  const echo = harness.client(address, { peer: "auto" });
  await callAtOnce(echo, 20);
  assert.ok((await go.connections()) > 1);
  await go.program.kill();

  const ours = await harness.server({}, address);
  await callAtOnce(echo, 40);
  await until("all calls share a connection", () => ours.server.connectionCount === 1);
  await ours.server.close({ drainMs: 1_000 });

  const again = await harness.goServer("-port", String(address.port));
  await callAtOnce(echo, 20);
  assert.ok((await again.connections()) > 1);
  return "one connection to the ts-drpc server";
}
