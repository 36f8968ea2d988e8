// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Code,
  createSessionTransport,
  DrpcError,
  type SessionTransport,
  type SessionTransportOptions,
  type TransportState,
} from "@ts-drpc/core";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { closeIn, FakeServer, useFakeTime } from "./fake-server.js";
import { sentences, withoutUnhandled } from "./harness.js";

interface Setup {
  readonly server: FakeServer;
  readonly client: EchoServiceClient;
  readonly transport: SessionTransport;

  /** What the transport told of its state. */
  readonly told: TransportState[];
  readonly states: () => string[];
}

function setup(options: SessionTransportOptions = {}, server = new FakeServer("server:1")): Setup {
  const told: TransportState[] = [];
  const transport = createSessionTransport((signal) => server.dial(signal), {
    onStateChange: (state) => told.push(state),
    ...options,
  });
  return {
    server,
    transport,
    client: createEchoServiceClient(transport),
    told,
    states: () => told.map(({ connectivity }) => connectivity),
  };
}

/** Asserts that a call fails with Unavailable, and was not started. */
async function unavailable(call: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(call, { name: "DrpcError", code: Code.Unavailable, notStarted: true, message });
}

/** Resolves with what became of a promise so far. */
async function settled(call: Promise<unknown>): Promise<boolean> {
  return Promise.race([call.then(() => true).catch(() => true), Promise.resolve().then(() => false)]);
}

describe("the state of a transport", () => {
  test("goes from idle to connecting and ready with the first call, and ends in shutdown", async () => {
    const { client, transport, states } = setup();
    assert.deepEqual(transport.state, { connectivity: "idle" });
    await client.say({});
    assert.equal(transport.state.connectivity, "ready");
    assert.equal(transport.state.address, "server:1");
    await transport.close();
    await Promise.resolve();
    assert.deepEqual(states(), ["connecting", "ready", "shutdown"]);
  });

  test("is idle after a connection of use was lost, and the next call connects at once", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport, states } = setup();
    const first = client.say({});
    await pass();
    await first;
    server.dropConnections();
    await pass();
    assert.equal(transport.state.connectivity, "idle");
    const second = client.say({});
    await pass();
    await second;
    assert.deepEqual(states(), ["connecting", "ready", "idle", "connecting", "ready"]);
    await closeIn(pass, transport);
  });

  test("tells in transientFailure the error and when the next attempt is, and neither once it is ready", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup();
    server.kill();
    await unavailable(client.say({}), /cannot connect to server:1: connection refused/);
    const { connectivity, error, retryAt } = transport.state;
    assert.equal(connectivity, "transientFailure");
    assert.match(String(error), /connection refused/);
    assert.equal(retryAt, Date.now() + 250);
    server.mode = "serves";
    await pass(250);
    assert.deepEqual(transport.state, { connectivity: "ready", address: "server:1" });
    await closeIn(pass, transport);
  });

  test("is told to the user's code in a turn of its own, and what that throws changes nothing", async (t) => {
    const logged = t.mock.method(console, "error", () => undefined);
    await withoutUnhandled(async () => {
      const { client, transport } = setup({
        onStateChange: ({ connectivity }) => {
          if (connectivity === "connecting") {
            throw new Error("a bug");
          }
          return Promise.reject(new Error("another"));
        },
      });
      assert.equal((await client.say({ sentence: "on" })).sentence, "on");
      await transport.close();
    });
    const texts = logged.mock.calls.map(({ arguments: [text, reason] }) => `${text} ${reason}`);
    assert.deepEqual(texts, [
      "onStateChange threw: Error: a bug",
      "onStateChange threw: Error: another",
      "onStateChange threw: Error: another",
    ]);
  });
});

describe("a transport that cannot connect", () => {
  test("pauses longer and longer between attempts, up to maxReconnectMs, and starts anew once it was connected", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup({ initialReconnectMs: 100, maxReconnectMs: 400 });
    server.kill();
    await unavailable(client.say({}), /refused/);
    const pauses: number[] = [];
    for (let attempt = 1; attempt < 7; attempt++) {
      const pauseMs = (transport.state.retryAt ?? 0) - Date.now();
      pauses.push(pauseMs);
      await pass(pauseMs - 1);
      assert.equal(server.dials, attempt);
      await pass(1);
      assert.equal(server.dials, attempt + 1);
    }
    assert.deepEqual(pauses, [100, 160, 256, 400, 400, 400]);
    server.mode = "serves";
    await pass(400);
    const call = client.say({});
    await pass();
    await call;
    server.kill();
    await pass();
    await unavailable(client.say({}), /refused/);
    assert.equal(transport.state.retryAt, Date.now() + 100);
    await closeIn(pass, transport);
  });

  test("fails calls at once while it pauses, with the address, the last error and the time of the next attempt", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup();
    server.kill();
    await unavailable(client.say({}), /refused/);
    await unavailable(client.say({}), /refused/);
    assert.equal(server.dials, 2, "the first failure was perhaps a matter of a moment");
    await pass(100);
    const text =
      /cannot connect to server:1: connection refused; the next attempt is in 300 ms, and waitForReady waits for it/;
    await unavailable(client.say({}), text);
    await unavailable(sentences(client.repeat({})), text);
    assert.equal(server.dials, 2);
    await closeIn(pass, transport);
  });

  test("lets calls with waitForReady wait until it is connected", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup();
    server.kill();
    const calls = [client.say({ sentence: "a" }, { waitForReady: true }), client.say({}, { waitForReady: true })];
    const stream = sentences(client.repeat({ sentence: "s", times: 2 }, { waitForReady: true }));
    await pass(250);
    await pass(400);
    assert.equal(await settled(Promise.race([...calls, stream])), false);
    assert.equal(server.dials, 3);
    server.mode = "serves";
    await pass(640);
    assert.equal((await Promise.all(calls))[0]?.sentence, "a");
    assert.deepEqual(await stream, ["s", "s"]);
    await closeIn(pass, transport);
  });

  test("ends the waiting of a call at its deadline, by its signal, and when it is closed", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup();
    server.kill();
    const controller = new AbortController();
    const aborted = client.say({}, { waitForReady: true, signal: controller.signal });
    const closed = client.say({}, { waitForReady: true });
    await pass();
    controller.abort();
    await assert.rejects(aborted, { code: Code.Canceled, notStarted: true });
    const ended = assert.rejects(closed, { code: Code.Canceled, notStarted: true, message: /transport was closed/ });
    await transport.close();
    await ended;
    assert.equal(transport.state.connectivity, "shutdown");
    await assert.rejects(client.say({}, { waitForReady: true }), { code: Code.Canceled, notStarted: true });
    await pass(60_000);
    assert.equal(server.dials, 1, "nothing is tried any more");
  });

  test("ends the waiting of a call at its deadline", async () => {
    const { client, server, transport } = setup();
    server.kill();
    await assert.rejects(client.say({}, { waitForReady: true, timeoutMs: 30 }), {
      code: Code.DeadlineExceeded,
      notStarted: true,
    });
    await transport.close();
  });

  test("keeps the process only while a call waits", async () => {
    const before = pendingTimers();
    const { client, server, transport } = setup({ initialReconnectMs: 60_000, maxReconnectMs: 60_000 });
    server.kill();
    await unavailable(client.say({}), /refused/);
    assert.equal(transport.state.connectivity, "transientFailure");
    assert.equal(pendingTimers(), before);
    const controller = new AbortController();
    const waiting = client.say({}, { waitForReady: true, signal: controller.signal });
    await assert.rejects(client.say({}), { code: Code.Unavailable });
    assert.equal(pendingTimers(), before + 1);
    controller.abort();
    await assert.rejects(waiting, { code: Code.Canceled });
    assert.equal(pendingTimers(), before);
    await transport.close();
    assert.equal(pendingTimers(), before);
  });

  test("gives an attempt up that hangs when it is closed", async () => {
    const { client, server, transport } = setup();
    server.mode = "hangs";
    const controller = new AbortController();
    const call = client.say({}, { signal: controller.signal });
    assert.equal(transport.state.connectivity, "connecting");
    controller.abort();
    await assert.rejects(call, { code: Code.Canceled, notStarted: true });
    await transport.close();
    assert.equal(server.abandoned, 1);
  });

  test("counts a dial that throws as a failed attempt", async () => {
    const bug = new Error("no more sockets");
    const transport = createSessionTransport(() => {
      throw bug;
    });
    await assert.rejects(createEchoServiceClient(transport).say({}), (error: DrpcError) => {
      assert.ok(error instanceof DrpcError);
      assert.equal(error.code, Code.Unavailable);
      assert.equal(error.notStarted, true);
      assert.equal(error.cause, bug);
      return true;
    });
    assert.equal(transport.state.connectivity, "transientFailure");
    await transport.close();
  });

  test("neither pauses nor tries by itself with reconnect: false, and does not let calls wait", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup({ reconnect: false });
    server.kill();
    for (let dials = 1; dials <= 3; dials++) {
      await unavailable(client.say({}, { waitForReady: true }), /refused$/);
      assert.equal(server.dials, dials);
    }
    assert.equal(transport.state.connectivity, "transientFailure");
    assert.equal(transport.state.retryAt, undefined);
    await pass(60_000);
    assert.equal(server.dials, 3);
    await transport.close();
  });
});

describe("a server that accepts connections and closes them at once", () => {
  test("is paused after like one that refuses them, and recovered from", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport, states } = setup();
    server.mode = "closes at once";
    for (const dials of [1, 2]) {
      const failed = assert.rejects(client.say({}), {
        code: Code.Unavailable,
        message: /the connection to server:1 was closed by the peer/,
      });
      await pass();
      await failed;
      assert.equal(server.dials, dials);
    }
    await unavailable(client.say({}), /was closed by the peer; the next attempt is in 400 ms/);
    assert.equal(server.dials, 2);
    const waiting = client.say({ sentence: "room" }, { waitForReady: true });
    server.mode = "serves";
    await pass(400);
    assert.equal((await waiting).sentence, "room");
    const attempt = ["connecting", "ready", "transientFailure"];
    assert.deepEqual(states(), [...attempt, ...attempt, "connecting", "ready"]);
    await closeIn(pass, transport);
  });

  test("does not cost a transport the connections that it has", async (t) => {
    const pass = useFakeTime(t);
    const { client, server, transport } = setup({ peer: "sequential", retry: { maxAttempts: 1 } });
    const first = client.say({});
    await pass();
    await first;
    server.mode = "closes at once";
    // One has the connection that there is; another waits for one that is closed at once, twice.
    for (let round = 0; round < 2; round++) {
      const calls = Promise.allSettled([client.say({}), client.say({})]);
      await pass();
      assert.deepEqual(
        (await calls).map(({ status }) => status),
        ["fulfilled", "rejected"],
      );
    }
    assert.equal(server.dials, 3);
    const calls = [client.say({}), client.say({}), client.say({})];
    await pass();
    await Promise.all(calls);
    assert.equal(server.dials, 3, "calls wait for the connection that there is while no other is to be had");
    await closeIn(pass, transport);
  });
});

test("500 calls with and without waitForReady end once each while their server comes and goes", async (t) => {
  const pass = useFakeTime(t);
  const { client, server, transport } = setup({ initialReconnectMs: 10, maxReconnectMs: 50 });
  let ended = 0;
  const calls = Array.from({ length: 500 }, async (_, index) => {
    await pass(index % 7);
    try {
      assert.equal((await client.say({ sentence: "x" }, { waitForReady: index % 2 === 0 })).sentence, "x");
    } catch (reason) {
      assert.equal((reason as DrpcError).code, Code.Unavailable);
    }
    ended++;
  });
  const all = Promise.all(calls);
  for (let round = 0; round < 10; round++) {
    server.kill();
    await pass(20);
    server.mode = "serves";
    await pass(60);
  }
  await pass(60);
  await all;
  assert.equal(ended, 500);
  await closeIn(pass, transport);
});

test("options that are wrong are refused by name", () => {
  for (const [options, message] of [
    [{ initialReconnectMs: 0 }, /^initialReconnectMs must be .* got 0$/],
    [{ maxReconnectMs: 1.5 }, /^maxReconnectMs must be .* got 1\.5$/],
    [{ loadBalancing: "random" }, /^loadBalancing must be "pick-first" or "round-robin", got "random"$/],
    [{ onStateChange: "log" }, /^onStateChange must be a function, got "log"$/],
  ] as const) {
    assert.throws(() => setup(options as SessionTransportOptions), { message });
  }
});

/** How many timers keep this process. */
function pendingTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}
