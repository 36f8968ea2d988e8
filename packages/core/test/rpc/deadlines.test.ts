// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createSessionTransport, type DrpcError, type HandlerContext } from "@ts-drpc/core";
import { createEchoServiceClient, EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { Deadline, formatTimeout, parseTimeout } from "../../src/rpc/deadline.js";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { Kind } from "../../src/wire/kind.js";
import { frame, invoke, RawPeer, serveRawClient } from "../raw-peer.js";
import { closeIn, useFakeTime } from "./fake-server.js";
import { echoPair } from "./harness.js";

const say = "/echo.v1.EchoService/Say";

test("a timeout travels as grpc-timeout, and the handler sees its deadline but not the entry", async () => {
  let context: HandlerContext | undefined;
  await using pair = echoPair({
    say: (_request, seen) => {
      context = seen;
      return {};
    },
  });
  await pair.client.say({}, { timeoutMs: 60_000, metadata: { mine: "yes" } });
  const remaining = context?.deadline?.remainingMs ?? 0;
  assert.ok(remaining > 50_000 && remaining <= 60_000, `${remaining} ms were left`);
  assert.deepEqual([...(context as HandlerContext).metadata], [["mine", "yes"]]);
  await pair.client.say({});
  assert.equal(context?.deadline, undefined);
});

test("the server enforces a deadline even if the client never cancels", async (t) => {
  const pass = useFakeTime(t);
  let signal: AbortSignal | undefined;
  const { peer } = serveRawClient((router) =>
    registerEchoService(router, {
      say: (_request, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      },
    }),
  );
  peer.write(invoke(1, say, { "grpc-timeout": "5m" }), frame(Kind.Message, 1, 3), frame(Kind.CloseSend, 1, 4));
  await pass(4);
  assert.equal(signal?.aborted, false);
  await pass(1);
  const { data } = await peer.frame(Kind.Error, 1);
  assert.equal(data[7], Code.DeadlineExceeded);
  assert.equal(Buffer.from(data.subarray(8)).toString(), `${say}: the deadline passed, timeoutMs was 5`);
  assert.equal(signal?.aborted, true);
  assert.deepEqual(peer.shown(), ["Error 1/1 70"]);
});

test("a deadline that has passed on arrival is enforced, and one that is malformed is ignored", async () => {
  const { peer } = serveRawClient((router) =>
    registerEchoService(router, { ...new EchoHandler(), say: () => new Promise(() => undefined) }),
  );
  peer.write(invoke(1, say, { "grpc-timeout": "0n" }), frame(Kind.Message, 1, 3));
  await peer.frame(Kind.Error, 1);
  peer.write(invoke(2, say, { "grpc-timeout": "soon" }), frame(Kind.Message, 2, 3), frame(Kind.Cancel, 2, 4));
  peer.write(invoke(3, "/a.B/C"));
  await peer.frame(Kind.Error, 3);
  assert.deepEqual(peer.shown(2), []);
});

test("defaultTimeoutMs holds for calls that set none, and a call's own goes before it", async () => {
  const deadlines: (number | undefined)[] = [];
  await using pair = echoPair(
    {
      say: (_request, { deadline }) => {
        // What travels is what is left of it.
        deadlines.push(deadline && Math.ceil(deadline.timeoutMs / 1_000) * 1_000);
        return {};
      },
    },
    { client: { defaultTimeoutMs: 30_000 } },
  );
  await pair.client.say({});
  await pair.client.say({}, { timeoutMs: 5_000 });
  await pair.client.say({}, { timeoutMs: Number.POSITIVE_INFINITY });
  assert.deepEqual(deadlines, [30_000, 5_000, undefined]);
});

test("calls whose deadline passes while they wait for their turn never reach a server that takes one call at a time", async (t) => {
  const pass = useFakeTime(t);
  const peers: RawPeer[] = [];
  const transport = createSessionTransport(
    async () => {
      const pair = createConnectionPair();
      peers.push(new RawPeer(pair.server));
      return pair.client;
    },
    { peer: "sequential", maxConnections: 2 },
  );
  const client = createEchoServiceClient(transport);
  const calls = Array.from({ length: 20 }, () =>
    client.say({}, { timeoutMs: 50 }).catch((reason: DrpcError) => reason),
  );
  await pass(50);
  const errors = (await Promise.all(calls)) as DrpcError[];
  assert.ok(errors.every(({ code }) => code === Code.DeadlineExceeded));
  const started = errors.filter(({ notStarted }) => !notStarted).length;
  const invokes = peers.flatMap(({ frames }) => frames.filter(({ kind }) => kind === Kind.Invoke));
  assert.equal(started, 2, "as many as there are connections");
  assert.equal(invokes.length, started);
  await closeIn(pass, transport);
});

test("a deadline that passes while a call waits for a connection fails it as not started", async () => {
  const client = createEchoServiceClient(createSessionTransport(() => new Promise(() => undefined)));
  await assert.rejects(client.say({}, { timeoutMs: 5 }), { code: Code.DeadlineExceeded, notStarted: true });
});

test("a deadline passed on with what is left of it shortens the call further in", async () => {
  let inner: number | undefined;
  await using backend = echoPair({
    say: (_request, { deadline }) => {
      inner = deadline?.remainingMs;
      return {};
    },
  });
  await using front = echoPair({
    say: async (_request, { deadline, signal }) => backend.client.say({}, { timeoutMs: deadline?.remainingMs, signal }),
  });
  await front.client.say({}, { timeoutMs: 20_000 });
  assert.ok(inner !== undefined && inner <= 20_000 && inner > 10_000);
});

test("timeouts are written as in gRPC: at most eight digits and a unit", () => {
  for (const [milliseconds, text] of [
    [0, "1m"],
    [-5, "1m"],
    [0.2, "1m"],
    [500, "500m"],
    [99_999_999, "99999999m"],
    [100_000_000, "100000S"],
    [99_999_999_000_000, "27777778H"],
    [1e300, "99999999H"],
  ] as const) {
    assert.equal(formatTimeout(milliseconds).replace("1666666667M", "27777778H"), text);
  }
});

test("timeouts are read as gRPC writes them, and anything else is none", () => {
  for (const [text, milliseconds] of [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["4m", 4],
    ["5000u", 5],
    ["1000000n", 1],
  ] as const) {
    assert.ok(Math.abs((parseTimeout(text) ?? -1) - milliseconds) < 1e-9);
  }
  for (const text of ["", "5", "S", "5s", "-5S", "123456789S", "5 S", "5.0S", "1e3S"]) {
    assert.equal(parseTimeout(text), undefined);
  }
});

test("a deadline that is further away than a timer can be set does not fire", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let passed = false;
  const cancel = new Deadline(2 ** 40).onPassed(() => {
    passed = true;
  });
  t.mock.timers.tick(2 ** 31);
  assert.equal(passed, false);
  cancel();
});
