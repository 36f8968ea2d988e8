// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Code } from "@ts-drpc/core";
import { succeeded } from "./call-scenarios.js";
import type { MsgInit } from "./echo-handler.js";
import { collect, failure, pattern, until } from "./harness.js";
import { callAtOnce, goCall } from "./load-scenarios.js";
import type { Scenario } from "./scenario.js";

const KiB = 1024;
const MiB = 1024 * KiB;
const peer = "cockroach-mux";

/** A window that is small next to what is sent, and the arguments that give it to a Go program. */
export const windowBytes = 128 * KiB;
export const goWindow = ["-window", String(windowBytes), "-grant", String(32 * KiB), "-max-message", String(4 * MiB)];

/** What only peers do that multiplex. */
export const muxScenarios: readonly Scenario[] = [
  {
    name: "400 calls of all kinds at once on one connection",
    peer,
    async calling(harness) {
      const server = await harness.goServer();
      await callAtOnce(harness.client(server), 400);
      assert.equal(await server.connections(), 1);
    },
    async serving(harness) {
      const { port, server } = await harness.server({ maxConcurrentStreams: 400 });
      const client = harness.goClient({ port });
      await Promise.all(Array.from({ length: 400 }, (_, index) => goCall(client, index, "one")));
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "small calls beside large ones, and beside one that nobody reads",
    peer,
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server, { maxBufferedBytes: 64 * MiB });
      // The first call of a connection has more room, while the peer may still say that it has windows.
      await echo.unary({});
      const unread = echo.serverStream({ n: 200n, data: pattern(60 * KiB) })[Symbol.asyncIterator]();
      assert.equal((await unread.next()).value?.n, 1n);
      const large = Array.from({ length: 8 }, () => echo.identity({ data: pattern(2 * MiB) }));
      await callAtOnce(echo, 100);
      for (const { data } of await Promise.all(large)) {
        assert.ok(Buffer.from(data).equals(pattern(2 * MiB)));
      }
      const error = await failure(collect({ [Symbol.asyncIterator]: () => unread }));
      assert.equal(error.code, Code.ResourceExhausted);
      assert.equal(await server.connections(), 1);
      return "what nobody reads fails with `ResourceExhausted`, as Go sends on without flow control";
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const large = Array.from({ length: 8 }, () => client.unary("Identity", { size: 2 * MiB }));
      await Promise.all(Array.from({ length: 100 }, (_, index) => goCall(client, index, "")));
      for (const result of await Promise.all(large)) {
        assert.equal(succeeded(result).size, 2 * MiB);
      }
    },
  },
  {
    name: "the client cancels one call of many",
    peer,
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      const controller = new AbortController();
      const blocked = Array.from({ length: 50 }, (_, index) =>
        failure(collect(echo.block({}, index === 25 ? { signal: controller.signal } : { timeoutMs: 500 }))),
      );
      await callAtOnce(echo, 20);
      controller.abort();
      const codes = (await Promise.all(blocked)).map(({ code }) => code);
      assert.equal(codes[25], Code.Canceled);
      assert.equal(codes.filter((code) => code === Code.DeadlineExceeded).length, 49);
      for (let told = 0; told < 50; told++) {
        await server.program.event("canceled");
      }
      assert.equal(await server.connections(), 1);
    },
  },
  {
    name: "more calls at once than the server takes",
    peer,
    async calling(harness) {
      const echo = harness.client(await harness.goServer("-max-streams", "2"));
      const controller = new AbortController();
      const blocked = Array.from({ length: 2 }, () => blockedCall(echo.block({}, { signal: controller.signal })));
      await Promise.all(blocked.map(({ begun }) => begun));
      const refused = await failure(echo.unary({}));
      assert.deepEqual([refused.code, refused.notStarted], [Code.ResourceExhausted, true]);
      assert.match(
        refused.rawMessage,
        /^too many concurrent streams: refused: at most 2 concurrent streams \(attempt 3 of 3\)$/,
      );
      controller.abort();
      for (const { ended } of blocked) {
        assert.equal((await ended).code, Code.Canceled);
      }
      return `\`ResourceExhausted\`, \`notStarted\`, \`wireCode\` ${refused.wireCode}`;
    },
    async serving(harness) {
      const { port, handler, server } = await harness.server({ maxConcurrentStreams: 2 });
      const client = harness.goClient({ port });
      const blocked = Array.from({ length: 2 }, () => client.stream("Block", { sends: 1, timeoutMs: 500 }));
      await until("the calls are there", () => handler.blocked === 2);
      const refused = await client.unary("Unary");
      assert.deepEqual([refused.failed, refused.code], [true, "8"]);
      await Promise.all(blocked);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      assert.equal(server.connectionCount, 1);
      return "code 8, on the same connection";
    },
  },
  {
    name: "Go grants credit that was not asked for",
    peer,
    async calling(harness) {
      const echo = harness.client(await harness.goServer(...goWindow));
      const { n } = await echo.clientStream(messages(100, 60 * KiB));
      assert.equal(n, 100n);
      return "ignored";
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server(), ...goWindow);
      const result = succeeded(await client.stream("ServerStream", { sends: 1, n: 100, size: 60 * KiB }));
      assert.equal(result.received, 100);
      return "ignored";
    },
  },
  {
    name: "Go waits for credit that never comes, and the client cancels",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      const echo = harness.client(server);
      const controller = new AbortController();
      const call = echo.serverStream({ n: 100n, data: pattern(60 * KiB) }, { signal: controller.signal });
      let received = 0;
      const error = await failure(
        (async () => {
          for await (const _ of call) {
            received++;
            if (received === 2) {
              await callAtOnce(echo, 20);
              controller.abort();
            }
          }
        })(),
      );
      assert.deepEqual([error.code, received], [Code.Canceled, 2]);
      await callAtOnce(echo, 20);
      assert.equal(await server.connections(), 1);
      return "both are free, and the connection stays";
    },
    async serving(harness) {
      const { port, server } = await harness.server();
      const client = harness.goClient({ port }, ...goWindow);
      const parked = await client.stream("Early", {
        sends: 100,
        size: 60 * KiB,
        metadata: { do: "stall" },
        timeoutMs: 200,
      });
      assert.deepEqual([parked.failed, parked.code], [true, "4"]);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      assert.equal(server.connectionCount, 1);
      return "both are free, and the connection stays";
    },
  },
  {
    name: "a message above the limit of Go's flow control",
    peer,
    async calling(harness) {
      const server = await harness.goServer(...goWindow);
      const echo = harness.client(server, { maxMessageBytes: 8 * MiB });
      const error = await failure(echo.identity({ data: pattern(5 * MiB) }));
      assert.equal(error.code, Code.ResourceExhausted);
      await callAtOnce(echo, 20);
      assert.equal(await server.connections(), 1);
      return `\`ResourceExhausted\`, \`${error.rawMessage}\`, and the connection stays`;
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server({ maxMessageBytes: 8 * MiB }), ...goWindow);
      const result = await client.unary("Identity", { size: 5 * MiB });
      assert.deepEqual([result.failed, result.code], [true, "8"]);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      return `code 8, \`${result.error}\``;
    },
  },
];

/** Follows a call of `block`: when it has begun, and what it ends with. */
function blockedCall(call: AsyncIterable<unknown>) {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = failure(
    (async () => {
      for await (const _ of call) {
        begin();
      }
    })(),
  );
  return { begun, ended };
}

export async function* messages(count: number, size: number): AsyncGenerator<MsgInit> {
  const data = pattern(size);
  for (let n = 1n; n <= count; n++) {
    yield { text: "m", data, n };
  }
}
