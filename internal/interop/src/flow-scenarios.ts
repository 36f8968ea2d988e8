// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Code } from "@ts-drpc/core";
import { succeeded } from "./call-scenarios.js";
import { collect, failure, pattern, until } from "./harness.js";
import { callAtOnce, goCall } from "./load-scenarios.js";
import { goWindow, messages, windowBytes } from "./mux-scenarios.js";
import type { Scenario } from "./scenario.js";

const KiB = 1024;
const MiB = 1024 * KiB;
const peer = "cockroach-mux";
const flowControl = { windowBytes, grantThresholdBytes: windowBytes / 4 };

/** Flow control at both ends, as CockroachDB's fork can have it since it multiplexes. */
export const flowScenarios: readonly Scenario[] = [
  {
    name: "flow control: 400 calls of all kinds at once on one connection",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      await callAtOnce(harness.client(server, { flowControl }), 400);
      assert.equal(await server.connections(), 1);
    },
    async serving(harness) {
      const { port, server } = await harness.server({ flowControl, maxConcurrentStreams: 400 });
      const client = harness.goClient({ port }, ...goWindow);
      await Promise.all(Array.from({ length: 400 }, (_, index) => goCall(client, index, "one")));
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "flow control: 12 MB in messages of 60 KiB, either way and both at once",
    peer,
    async calling(harness) {
      const echo = harness.client(await harness.goServer(...goWindow), { flowControl });
      assert.equal((await echo.clientStream(messages(200, 60 * KiB))).n, 200n);
      assert.equal((await collect(echo.serverStream({ n: 200n, data: pattern(60 * KiB) }))).length, 200);
      assert.equal((await collect(echo.bidi(messages(200, 60 * KiB)))).length, 200);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 200, size: 60 * KiB })).n, "200");
      for (const [method, call] of [
        ["ServerStream", { sends: 1, n: 200 }],
        ["Bidi", { sends: 200, n: 1 }],
      ] as const) {
        const { received, inOrder } = succeeded(await client.stream(method, { ...call, size: 60 * KiB }));
        assert.deepEqual([received, inOrder], [200, true]);
      }
    },
  },
  {
    name: "flow control: messages eight times as large as the window, both ways at once",
    peer,
    async calling(harness) {
      const echo = harness.client(await harness.goServer(...goWindow), { flowControl });
      for (const { data } of await collect(echo.bidi(messages(5, MiB)))) {
        assert.ok(Buffer.from(data).equals(pattern(MiB)));
      }
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      const result = succeeded(await client.stream("Bidi", { sends: 5, n: 1, size: MiB }));
      assert.deepEqual([result.received, result.size], [5, MiB]);
    },
  },
  {
    name: "flow control: a stream that nobody reads waits, others go on, and nothing of it is lost",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      const echo = harness.client(server, { flowControl });
      const unread = echo.serverStream({ n: 200n, data: pattern(60 * KiB) })[Symbol.asyncIterator]();
      assert.equal((await unread.next()).value?.n, 1n);
      await callAtOnce(echo, 100);
      assert.equal((await collect({ [Symbol.asyncIterator]: () => unread })).length, 199);
      assert.equal(await server.connections(), 1);
    },
  },
  {
    name: "flow control: a sender that waits for credit is canceled, and others go on",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      const echo = harness.client(server, { flowControl });
      const controller = new AbortController();
      let sent = 0;
      const requests = (async function* () {
        for await (const message of messages(1_000, 10 * KiB)) {
          sent++;
          yield message;
        }
      })();
      const call = failure(collect(echo.early(requests, { signal: controller.signal, metadata: { do: "stall" } })));
      await until("the window is full", () => sent > windowBytes / (10 * KiB));
      await callAtOnce(echo, 50);
      controller.abort();
      assert.equal((await call).code, Code.Canceled);
      await callAtOnce(echo, 50);
      assert.deepEqual([await server.connections(), sent < 20], [1, true]);
    },
    async serving(harness) {
      const { port, server } = await harness.server({ flowControl });
      const client = harness.goClient({ port }, ...goWindow);
      const call = { sends: 100, size: 60 * KiB, metadata: { do: "stall" }, timeoutMs: 200 };
      assert.equal((await client.stream("Early", call)).code, "4");
      await Promise.all(Array.from({ length: 50 }, (_, index) => goCall(client, index, "")));
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "flow control: 10,000 empty messages",
    peer,
    async calling(harness) {
      const echo = harness.client(await harness.goServer(...goWindow), { flowControl });
      assert.equal((await echo.clientStream(messages(10_000, 0))).n, 10_000n);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 10_000 })).n, "10000");
    },
  },
  {
    name: "flow control: the handler returns before it has read anything",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      const echo = harness.client(server, { flowControl });
      for (const size of [0, 1_000, 60 * KiB]) {
        assert.deepEqual(await collect(echo.early(messages(100_000, size))), []);
        assert.equal((await echo.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      }
      assert.equal(await server.connections(), 1);
      return "on the same connection";
    },
  },
];
