// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { Code, DrpcError, PushStream } from "@ts-drpc/core";
import type { gopeer } from "@ts-drpc-internal/fixtures";
import { assertFailed, succeeded } from "./call-scenarios.js";
import type { MsgInit } from "./echo-handler.js";
import type { GoResult } from "./go-program.js";
import { collect, failure, type Harness, pattern, sleep, texts, until } from "./harness.js";
import type { Scenario } from "./scenario.js";

/** Calls that end before they are done. */
export const endingScenarios: readonly Scenario[] = [
  {
    name: "the client cancels, and the next call works",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      const controller = new AbortController();
      const error = await failure(
        (async () => {
          for await (const _ of echo.block({}, { signal: controller.signal })) {
            controller.abort();
          }
        })(),
      );
      assert.equal(error.code, Code.Canceled);
      await server.program.event("canceled");
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      for await (const _ of echo.serverStream({ n: 1_000n })) {
        break;
      }
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      assert.equal(await server.connections(), 1);
      return "`Canceled`, on the same connection";
    },
    async serving(harness) {
      const { port, server, handler } = await harness.server();
      const client = harness.goClient({ port });
      const canceled = harness.statusErrors ? "1" : "0";
      const block = { sends: 1, cancelAfter: 1 };
      let next: GoResult;
      do {
        // With an unlucky timing a soft cancel is a hard one, also in Go.
        handler.aborted.length = 0;
        assertFailed(await client.stream("Block", { ...block, softCancel: true }), canceled, "context canceled");
        await until("the handler is told", () => handler.aborted.length === 1);
        next = await client.unary("Unary", { n: 1 });
        await client.close("");
      } while (next.failed && next.closed);
      assert.equal(succeeded(next).n, "2");
      if (harness.multiplexed) {
        assert.deepEqual(handler.aborted.map(codeOf), [Code.Canceled]);
        return "`Canceled` at our handler, on the same connection";
      }
      const hard = await client.stream("Block", { ...block, conn: "hard" });
      assertFailed(hard, canceled, "context canceled");
      await until("the handler is told", () => handler.aborted.length === 2);
      assert.deepEqual(handler.aborted.map(codeOf), [Code.Canceled, Code.Unavailable]);
      await until("the connections are gone", () => server.connectionCount === 0);
      return "soft: `Canceled` at our handler; hard: the connection ends, `Unavailable`";
    },
  },
  {
    name: "the client cancels in the middle of a message",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const controller = new AbortController();
      const call = failure(echo.identity({ data: pattern(4_000_000) }, { signal: controller.signal }));
      await sleep(1);
      controller.abort();
      assert.equal((await call).code, Code.Canceled);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
    },
  },
  {
    name: "the client cancels what the handler does not read, and the next call works",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      for (const halfClosed of [false, true]) {
        await cancelUnread(echo, halfClosed);
        assert.equal((await echo.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      }
      if (harness.multiplexed) {
        assert.equal(await server.connections(), 1);
        return "on the same connection";
      }
      // A client that does not know the peer yet does not close the connection for that.
      const stranger = harness.client(server);
      await cancelUnread(stranger, false);
      assert.equal((await failure(stranger.unary({}, { timeoutMs: 100 }))).code, Code.DeadlineExceeded);
      assert.equal((await stranger.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      return "on another connection; at worst, in a client's first call, after one that is lost";
    },
    async serving(harness) {
      const { port, server } = await harness.server();
      const client = harness.goClient({ port });
      const call = { sends: 3, keepOpen: true, metadata: { do: "stall" }, timeoutMs: 50, softCancel: true };
      assert.equal((await client.stream("Early", call)).failed, true);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "the handler ends with a cancellation or a timeout of its own",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const canceled = await failure(echo.fail({}, { metadata: { do: "cancel" } }));
      const late = await failure(echo.fail({}, { metadata: { do: "time out" } }));
      assert.equal(canceled.rawMessage, "context canceled");
      assert.equal(late.rawMessage, "context deadline exceeded");
      const expected = harness.statusErrors ? [Code.Canceled, Code.DeadlineExceeded] : [Code.Unknown, Code.Unknown];
      assert.deepEqual([canceled.code, late.code], expected);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      return harness.statusErrors ? "`Canceled`, `DeadlineExceeded`" : "`Unknown`, with Go's text";
    },
    async serving(harness) {
      const errors: unknown[] = [];
      const client = harness.goClient(await harness.server({ onError: (reason) => errors.push(reason) }));
      const canceled = await client.unary("Fail", { metadata: { do: "cancel" } });
      assertFailed(canceled, "2", "/gopeer.v1.Echo/Fail: the handler failed");
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      return "`Unknown`, 2, as for all that is no DrpcError";
    },
  },
  {
    name: "the client's deadline passes",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      const error = await failure(collect(echo.block({}, { timeoutMs: 100 })));
      assert.equal(error.code, Code.DeadlineExceeded);
      await server.program.event("canceled");
      assert.equal((await echo.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      assert.equal(await server.connections(), 1);
      return "`DeadlineExceeded`; the Go handler's context ends";
    },
    async serving(harness) {
      const { port, handler } = await harness.server();
      const client = harness.goClient({ port });
      const call = { conn: "soft", softCancel: true };
      const result = await client.stream("Block", { ...call, sends: 1, timeoutMs: 100 });
      assertFailed(result, harness.statusErrors ? "4" : "0", "context deadline exceeded");
      await until("the handler is told", () => handler.aborted.length === 1);
      assert.equal(succeeded(await client.unary("Unary", { ...call, n: 1 })).n, "2");
      return "our handler's signal aborts with `Canceled`";
    },
  },
  {
    name: "the handler returns before it has read anything",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      assert.deepEqual(await collect(echo.early(texts())), []);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
      assert.deepEqual(await collect(echo.early(texts("a", "b", "c"))), []);
      assert.equal((await echo.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      if (harness.multiplexed) {
        assert.equal(await server.connections(), 1);
      }
      const endless = (async function* () {
        for (;;) {
          yield { data: pattern(1_000) };
        }
      })();
      assert.deepEqual(await collect(echo.early(endless)), []);
      assert.equal((await echo.unary({ n: 1n }, { timeoutMs: 2_000 })).n, 2n);
      return harness.multiplexed
        ? "on the same connection, or another after more messages than Go's queue holds"
        : "the suspect connection is replaced";
    },
    async serving(harness) {
      const { port, server } = await harness.server();
      const client = harness.goClient({ port });
      assert.equal((await client.stream("Early")).failed, false);
      assert.equal((await client.stream("Early", { sends: 1_000, size: 1_000 })).failed, false);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      assert.equal(server.connectionCount, 1);
      return "on the same connection";
    },
  },
  {
    name: "the server is killed during a call, and works again once it is back",
    calling: killed,
    async serving(harness) {
      const first = await harness.server();
      const client = harness.goClient(first);
      const call = client.stream("Block", { conn: "first", sends: 1 });
      await until("the call is there", () => first.handler.blocked === 1);
      await first.server.close({ drainMs: 0 });
      const result = await call;
      assertFailed(result, "14", "/gopeer.v1.Echo/Block: the server was shut down");
      await harness.server({}, { port: first.port });
      assert.equal(succeeded(await client.unary("Unary", { conn: "second", n: 1 })).n, "2");
      return "code 14 from a server that is closed";
    },
  },
  {
    name: "the connection ends without a word during a call",
    async calling(harness) {
      const lost = await failure(harness.client(await hangingUp(harness)).unary({}));
      assert.equal(lost.code, Code.Unavailable);
      return "`Unavailable`";
    },
    async serving(harness) {
      const { code, error } = await harness.goClient(await hangingUp(harness)).unary("Unary");
      // Go says that it was canceled, though nobody did, unless it is the fork since it multiplexes.
      assert.equal(error, harness.multiplexed ? "closed: EOF" : "context canceled");
      return `code ${code}, \`${error}\``;
    },
  },
];

function codeOf(reason: unknown): unknown {
  return reason instanceof DrpcError ? reason.code : reason;
}

/** Cancels a call whose handler does not read what it is sent. */
async function cancelUnread(echo: gopeer.EchoClient, halfClosed: boolean): Promise<void> {
  const controller = new AbortController();
  const requests = new PushStream<MsgInit>();
  const call = failure(collect(echo.early(requests, { signal: controller.signal, metadata: { do: "stall" } })));
  await requests.send({ text: "unread" });
  await requests.send({ text: "unread" });
  if (halfClosed) {
    requests.close();
  }
  await sleep(50);
  controller.abort();
  assert.equal((await call).code, Code.Canceled);
}

async function killed(harness: Harness): Promise<string> {
  const first = await harness.goServer();
  const echo = harness.client(first);
  assert.equal((await echo.unary({ n: 1n })).n, 2n);
  const error = await failure(
    (async () => {
      for await (const _ of echo.block({})) {
        await first.program.kill();
      }
    })(),
  );
  assert.equal(error.code, Code.Unavailable);
  const refused = await failure(echo.unary({}));
  assert.deepEqual([refused.code, refused.notStarted], [Code.Unavailable, true]);

  const port = ["-port", String(first.port)];
  const second = await harness.goServer(...port);
  assert.equal((await echo.unary({ n: 1n })).n, 2n);
  const requests = (async function* () {
    for (let sent = 0; ; sent++) {
      yield { data: pattern(10_000) };
      if (sent === 100) {
        await second.program.kill();
      }
    }
  })();
  assert.equal((await failure(echo.clientStream(requests))).code, Code.Unavailable);

  await harness.goServer(...port);
  assert.equal((await echo.unary({ n: 1n })).n, 2n);
  return "`Unavailable`; `notStarted` while nobody listens";
}

/** Starts a server that hangs up when it is sent something. */
async function hangingUp(harness: Harness): Promise<{ readonly port: number }> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  harness.after(async () => server.close());
  return { port: (server.address() as net.AddressInfo).port };
}
