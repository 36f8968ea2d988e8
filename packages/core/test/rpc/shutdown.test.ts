// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Code,
  type Connection,
  createRouter,
  createSessionTransport,
  DrpcError,
  type HandlerContext,
  type ServedConnection,
  serveConnection,
} from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { createEchoServiceClient, EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { dialRawServer, frame, invoke, serveRawClient } from "../raw-peer.js";
import { useFakeTime } from "./fake-server.js";
import { each, echoPair, noTimers, sentences } from "./harness.js";

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test("transport.close() lets calls end, refuses later ones, and resolves when the connections are gone", async () => {
  const running = gate();
  const answer = gate();
  const pair = echoPair({
    say: async ({ sentence }) => {
      running.open();
      await answer.opened;
      return { sentence };
    },
  });
  const call = pair.client.say({ sentence: "x" });
  await running.opened;
  let closed = false;
  const closing = pair.transport.close().then(() => {
    closed = true;
  });
  await assert.rejects(pair.client.say({}), {
    code: Code.Canceled,
    notStarted: true,
    rawMessage:
      "/echo.v1.EchoService/Say: the transport was closed, and makes no more calls: create another one for them",
  });
  await assert.rejects(sentences(pair.client.repeat({})), { code: Code.Canceled, notStarted: true });
  assert.equal(closed, false);
  answer.open();
  assert.equal((await call).sentence, "x");
  await closing;
  await pair.transport.close();
  assert.equal(await pair.served[0]?.closed, undefined);
});

test("transport.close() lets calls end that still wait for their connection", async () => {
  const dialled = gate();
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  const transport = createSessionTransport(async () => {
    await dialled.opened;
    const { client, server } = createConnectionPair();
    serveConnection(server, router);
    return client;
  });
  const client = createEchoServiceClient(transport);
  const calls = [client.say({ sentence: "a" }), client.join(each("b", "c"))];
  const closing = transport.close();
  dialled.open();
  assert.deepEqual(
    (await Promise.all(calls)).map(({ sentence }) => sentence),
    ["a", "b c"],
  );
  await closing;
});

test("transport.close() with nothing under way resolves at once, also before anything was dialled, and disposes", async () => {
  const dial = (): Promise<Connection> => assert.fail("nothing is to be dialled");
  await createSessionTransport(dial).close();
  await createSessionTransport(dial)[Symbol.asyncDispose]();
});

test("a connection that is dialled for a call that left is closed when the transport is", async () => {
  const dialled = gate();
  let connection: Connection | undefined;
  const ended = gate();
  const transport = createSessionTransport(async () => {
    await dialled.opened;
    const { client, server } = createConnectionPair();
    server.start({ data() {}, writable() {}, end: () => ended.open() });
    connection = client;
    return client;
  });
  const controller = new AbortController();
  const call = createEchoServiceClient(transport).say({}, { signal: controller.signal });
  controller.abort();
  await assert.rejects(call, { code: Code.Canceled, notStarted: true });
  await transport.close();
  dialled.open();
  await ended.opened;
  assert.ok(connection !== undefined);
});

/** A served connection with calls under way whose handlers end when they are told to, or aborted. */
async function busyServer(count: number): Promise<{
  readonly served: ServedConnection;
  readonly calls: Promise<unknown>[];
  readonly finish: Gate;
  readonly reasons: unknown[];
  readonly refused: () => Promise<unknown>;
}> {
  const finish = gate();
  const reasons: unknown[] = [];
  const running: Gate[] = [];
  const pair = echoPair(
    {
      say: async ({ sentence }, { signal }: HandlerContext) => {
        running[Number(sentence)]?.open();
        const aborted = new Promise<never>((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
        await Promise.race([finish.opened, aborted]).catch((reason) => {
          reasons.push(reason);
          throw reason;
        });
        return { sentence };
      },
    },
    { client: { peer: "multiplexed" } },
  );
  const calls = Array.from({ length: count }, (_, index) => {
    running.push(gate());
    return pair.client.say({ sentence: String(index) });
  });
  await Promise.all(running.map(({ opened }) => opened));
  return { served: pair.served[0] as ServedConnection, calls, finish, reasons, refused: () => pair.client.say({}) };
}

test("close({ drainMs }) refuses new calls, waits for those under way, and reports them as drained", async () => {
  const { served, calls, finish, refused } = await busyServer(5);
  const closing = served.close({ drainMs: 60_000 });
  await assert.rejects(refused(), { code: Code.Unavailable, message: /the server is shutting down/ });
  finish.open();
  assert.equal((await Promise.all(calls)).length, 5);
  assert.deepEqual(await closing, { drained: 5, aborted: 0 });
  assert.equal(await served.closed, undefined);
  await noTimers();
});

test("close({ drainMs }) aborts what is left when the time is over, tells caller and handler, and reports it", async () => {
  const { served, calls, reasons } = await busyServer(3);
  const results = Promise.allSettled(calls);
  assert.deepEqual(await served.close({ drainMs: 5 }), { drained: 0, aborted: 3 });
  for (const result of await results) {
    assert.ok(result.status === "rejected");
    assert.equal(result.reason.code, Code.Unavailable);
    assert.match(result.reason.message, /Say: the server was shut down/);
  }
  assert.ok(
    reasons.length === 3 && reasons.every((reason) => reason instanceof DrpcError && reason.code === Code.Unavailable),
  );
  await noTimers();
});

test("close() of an idle connection, of one that is gone, and a second time", async () => {
  const { peer, served } = serveRawClient((router) => registerEchoService(router, new EchoHandler()));
  assert.deepEqual(await served.close({ drainMs: 60_000 }), { drained: 0, aborted: 0 });
  await peer.ended;
  assert.deepEqual(await served.close({ drainMs: 60_000 }), { drained: 0, aborted: 0 });
  await noTimers();
});

test("a call that is half announced when the server closes is refused, and counts as neither", async (t) => {
  using pass = useFakeTime(t);
  const { peer, served } = serveRawClient((router) =>
    registerEchoService(router, {
      say: async ({ sentence }) => ({ sentence }),
      join: () => new Promise(() => undefined),
    }),
  );
  peer.write(invoke(1, "/echo.v1.EchoService/Join"), frame(Kind.InvokeMetadata, 2, 1));
  peer.write(invoke(3, "/nobody.Serves/This"));
  await pass();
  await peer.frame(Kind.Error, 3);
  const closing = served.close({ drainMs: 20 });
  peer.write(frame(Kind.Invoke, 2, 2, "/echo.v1.EchoService/Join"));
  await pass(19);
  const { data } = await peer.frame(Kind.Error, 2);
  assert.equal(data[7], Code.Unavailable);
  await pass(1);
  assert.deepEqual(await closing, { drained: 0, aborted: 1 });
});

test("what was answered before a close reaches a client that reads late", async () => {
  const { peer, served } = serveRawClient((router) => registerEchoService(router, new EchoHandler()));
  peer.pause();
  for (let stream = 1; stream <= 5; stream++) {
    peer.write(
      invoke(stream, "/echo.v1.EchoService/Say"),
      frame(Kind.Message, stream, 2, new Uint8Array([0x12, 0xd0, 0x0f, ...new Uint8Array(2_000)])),
    );
    peer.write(frame(Kind.CloseSend, stream, 3));
  }
  // The server has read and answered before it is closed.
  await new Promise((resolve) => setTimeout(() => setImmediate(resolve), 0));
  const closing = served.close({ drainMs: 60_000 });
  peer.resume();
  await closing;
  await peer.ended;
  assert.equal(peer.frames.filter(({ kind }) => kind === Kind.CloseSend).length, 5);
});

test("a client that goes away while a call drains ends the wait", async () => {
  const { peer, served } = serveRawClient((router) =>
    registerEchoService(router, { join: () => new Promise(() => undefined) }),
  );
  peer.write(invoke(1, "/echo.v1.EchoService/Join"));
  peer.write(invoke(2, "/nobody.Serves/This"));
  await peer.frame(Kind.Error, 2);
  const closing = served.close({ drainMs: 3_600_000 });
  peer.close();
  await closing;
  await peer.ended;
  await noTimers();
});

test("a transport that is closed while its server says nothing waits for the calls, which a timeout ends", async (t) => {
  using pass = useFakeTime(t);
  const { transport, peer } = dialRawServer();
  const call = createEchoServiceClient(transport).say({}, { timeoutMs: 10 });
  const ended = assert.rejects(call, { code: Code.DeadlineExceeded });
  await pass();
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  const closing = transport.close();
  await pass(9);
  assert.equal(raw.isEnded, false);
  await pass(1);
  await ended;
  await closing;
  await raw.ended;
  assert.equal(raw.shown(1).at(-1), "Cancel 1/5 control");
});

test("transport.close({ drainMs }) cancels what is left when the time is over", async (t) => {
  let aborted: unknown;
  await using pair = echoPair({
    say: (_request, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted = signal.reason;
          reject(signal.reason);
        });
      }),
  });
  {
    using pass = useFakeTime(t);
    const call = assert.rejects(pair.client.say({}), { code: Code.Canceled, notStarted: false });
    await pass();
    const closing = pair.transport.close({ drainMs: 50 });
    await pass(49);
    assert.equal(aborted, undefined);
    await pass(1);
    await Promise.all([call, closing]);
    assert.equal((aborted as unknown as DrpcError).code, Code.Canceled);
  }
  assert.throws(
    () => createSessionTransport(async () => assert.fail(), { interceptors: 5 as never }),
    /interceptors must be an array/,
  );
  await assert.rejects(pair.transport.close({ drainMs: -1 }), { name: "RangeError", message: /^drainMs must be/ });
});
