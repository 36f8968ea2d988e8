// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Code,
  createSessionTransport,
  type SessionTransport,
  type SessionTransportOptions,
  type Target,
} from "@ts-drpc/core";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { closeIn, FakeServer, useFakeTime } from "./fake-server.js";

/** A server whose answers tell which one it is. */
function named(name: string): FakeServer {
  return new FakeServer(name, { say: () => ({ sentence: name }) });
}

interface Setup {
  readonly servers: readonly FakeServer[];

  /** What the resolver finds, which a test may change. */
  readonly found: { targets: readonly Target[] | Error; asked: number };
  readonly transport: SessionTransport;
  readonly client: EchoServiceClient;
}

function setup(options: SessionTransportOptions = {}, names = ["a", "b", "c"]): Setup {
  const servers = names.map(named);
  const found: Setup["found"] = { targets: servers.map(({ target }) => target), asked: 0 };
  const resolver = {
    resolve: async () => {
      found.asked++;
      if (found.targets instanceof Error) {
        throw found.targets;
      }
      return found.targets;
    },
  };
  const transport = createSessionTransport(resolver, options);
  return { servers, found, transport, client: createEchoServiceClient(transport) };
}

/** Makes calls one after the other, and returns which servers answered. */
async function answers(client: EchoServiceClient, pass: () => Promise<void>, count: number): Promise<string> {
  let all = "";
  for (let made = 0; made < count; made++) {
    const call = client.say({});
    await pass();
    all += (await call).sentence;
  }
  return all;
}

const dialsOf = ({ servers }: Setup): number[] => servers.map(({ dials }) => dials);

describe("pick-first", () => {
  test("makes all calls to the first address that can be connected to, and stays with it", async (t) => {
    const pass = useFakeTime(t);
    const used = setup();
    const [a, b] = used.servers as [FakeServer, FakeServer];
    a.mode = "refuses";
    assert.equal(await answers(used.client, pass, 3), "bbb");
    a.mode = "serves";
    b.dropConnections();
    await pass();
    assert.equal(await answers(used.client, pass, 2), "bb", "it works, so it is kept");
    assert.deepEqual(dialsOf(used), [1, 2, 0]);
    assert.equal(used.transport.state.address, "b");
    await closeIn(pass, used.transport);
  });

  test("goes on to the next when that one is killed, and tries one that failed last", async (t) => {
    const pass = useFakeTime(t);
    const used = setup();
    const [a, b] = used.servers as [FakeServer, FakeServer];
    assert.equal(await answers(used.client, pass, 1), "a");
    a.kill();
    await pass();
    assert.equal(await answers(used.client, pass, 1), "b");
    a.mode = "serves";
    b.kill();
    await pass();
    assert.equal(await answers(used.client, pass, 1), "c");
    assert.deepEqual(dialsOf(used), [2, 2, 1]);
    await closeIn(pass, used.transport);
  });

  test("goes on to the next when an address accepts connections and closes them at once", async (t) => {
    const pass = useFakeTime(t);
    const used = setup();
    const [a, b] = used.servers as [FakeServer, FakeServer];
    a.mode = "closes at once";
    b.mode = "closes at once";
    for (let round = 0; round < 2; round++) {
      const call = assert.rejects(used.client.say({}), { code: Code.Unavailable });
      await pass();
      await call;
    }
    const call = used.client.say({}, { waitForReady: true });
    await pass(400);
    assert.equal((await call).sentence, "c");
    assert.deepEqual(dialsOf(used), [1, 1, 1]);
    await closeIn(pass, used.transport);
  });

  test("fails with the errors of all addresses if none can be connected to", async () => {
    const used = setup();
    for (const server of used.servers) {
      server.kill();
    }
    await assert.rejects(used.client.say({}), {
      code: Code.Unavailable,
      notStarted: true,
      message:
        /none of the addresses can be used: cannot connect to a: .*; cannot connect to b: .*; cannot connect to c: /,
    });
    await used.transport.close();
  });

  test("finds a service that moved when it has to connect again", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({}, ["a"]);
    assert.equal(await answers(used.client, pass, 1), "a");
    used.servers[0]?.kill();
    used.found.targets = [named("z").target];
    await pass();
    assert.equal(await answers(used.client, pass, 1), "z");
    assert.equal(used.transport.state.address, "z");
    await closeIn(pass, used.transport);
  });

  test("keeps to maxConnections for a peer that takes one call at a time", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ peer: "sequential", maxConnections: 2 });
    const calls = Array.from({ length: 6 }, () => used.client.say({}));
    await pass();
    assert.equal((await Promise.all(calls)).length, 6);
    assert.deepEqual(dialsOf(used), [2, 0, 0]);
    await closeIn(pass, used.transport);
  });
});

for (const loadBalancing of ["pick-first", "round-robin"] as const) {
  describe(`a resolver, with ${loadBalancing},`, () => {
    test("that fails or finds nothing fails the call, and is asked again after a pause", async (t) => {
      const pass = useFakeTime(t);
      const used = setup({ loadBalancing });
      const { targets } = used.found;
      used.found.targets = new Error("the name service is down");
      await assert.rejects(used.client.say({}), {
        code: Code.Unavailable,
        notStarted: true,
        message: /the name service is down/,
      });
      used.found.targets = [];
      await assert.rejects(used.client.say({}), {
        code: Code.Unavailable,
        notStarted: true,
        message: /cannot connect: there are no addresses/,
      });
      assert.equal(used.transport.state.connectivity, "transientFailure");
      const waiting = used.client.say({}, { waitForReady: true });
      used.found.targets = targets;
      await pass(400);
      assert.equal((await waiting).sentence, "a");
      assert.equal(used.found.asked, 3);
      await closeIn(pass, used.transport);
    });

    test("that finds thousands of addresses, some twice, makes no more than a hundred connections", async (t) => {
      const pass = useFakeTime(t);
      const names = Array.from({ length: 2_000 }, (_, index) => `server ${index >> 1}`);
      const used = setup({ loadBalancing }, names);
      const failed = assert.rejects(used.client.say({}), /and 95 more/);
      for (const server of used.servers) {
        server.kill();
      }
      await pass();
      await failed;
      assert.equal(
        dialsOf(used).reduce((sum, dials) => sum + dials, 0),
        100,
      );
      await closeIn(pass, used.transport);
    });
  });
}

describe("round-robin", () => {
  const loadBalancing = "round-robin";

  test("connects to each address, and lets calls go round them", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing });
    const first = used.client.say({});
    await pass();
    await first;
    const order = await answers(used.client, pass, 9);
    assert.match("abcabcabcabc", new RegExp(order));
    assert.deepEqual(dialsOf(used), [1, 1, 1]);
    assert.equal(used.transport.state.connectivity, "ready");
    await closeIn(pass, used.transport);
    assert.equal(used.transport.state.connectivity, "shutdown");
    for (const { served } of used.servers) {
      await Promise.all(served.map(({ closed }) => closed));
    }
  });

  test("spreads calls that are made at once evenly", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing, peer: "multiplexed" });
    await answers(used.client, pass, 1);
    const calls = Array.from({ length: 300 }, () => used.client.say({}));
    await pass();
    const counts = new Map<string, number>();
    for (const { sentence } of await Promise.all(calls)) {
      counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
    }
    assert.deepEqual(
      [...counts.values()].map((count) => Math.abs(count - 100) <= 1),
      [true, true, true],
    );
    await closeIn(pass, used.transport);
  });

  test("leaves out an address that cannot be connected to, and takes it in again when it can", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing });
    const [, b] = used.servers as [FakeServer, FakeServer];
    b.mode = "refuses";
    assert.equal((await answers(used.client, pass, 8)).includes("b"), false);
    assert.equal(used.transport.state.connectivity, "ready");
    b.mode = "serves";
    await pass(2_000);
    assert.match(await answers(used.client, pass, 6), /b.*b/);
    await closeIn(pass, used.transport);
  });

  test("does not wait for an address that hangs", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing });
    (used.servers[0] as FakeServer).mode = "hangs";
    assert.match("bcbcbc", new RegExp(await answers(used.client, pass, 5)));
    await closeIn(pass, used.transport);
    assert.equal(used.servers[0]?.abandoned, 1);
  });

  test("fails calls if no address can be connected to, or lets them wait for the first that can", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing });
    for (const server of used.servers) {
      server.kill();
    }
    for (let round = 0; round < 2; round++) {
      const failed = assert.rejects(used.client.say({}), {
        code: Code.Unavailable,
        notStarted: true,
        message: /none of the addresses can be used: cannot connect to a: /,
      });
      await pass();
      await failed;
    }
    await assert.rejects(used.client.say({}), /the next attempt is in \d+ ms/);
    assert.equal(used.transport.state.connectivity, "transientFailure");
    const waiting = used.client.say({}, { waitForReady: true });
    (used.servers[2] as FakeServer).mode = "serves";
    await pass(2_000);
    assert.equal((await waiting).sentence, "c");
    await closeIn(pass, used.transport);
  });

  test("moves with the service: new addresses are connected to, and calls on old ones end there", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing }, ["a", "b"]);
    let answer = (): void => undefined;
    const slow = new FakeServer("slow", {
      say: () => new Promise((resolve) => (answer = () => resolve({ sentence: "late" }))),
    });
    const [a, b] = used.servers as [FakeServer, FakeServer];
    used.found.targets = [a.target, slow.target];
    await answers(used.client, pass, 1);
    const both = [used.client.say({}), used.client.say({})];
    await pass();
    const z = named("z");
    used.found.targets = [z.target, b.target];
    await pass(2_000);
    a.kill();
    await pass();
    assert.match("bzbzbz", new RegExp(await answers(used.client, pass, 4)));
    answer();
    await pass();
    assert.deepEqual((await Promise.all(both)).map(({ sentence }) => sentence).sort(), ["a", "late"]);
    await Promise.all(slow.served.map(({ closed }) => closed));
    await closeIn(pass, used.transport);
  });

  test("keeps to maxConnections for each address of peers that take one call at a time", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing, peer: "sequential", maxConnections: 2 });
    await answers(used.client, pass, 1);
    const calls = Array.from({ length: 30 }, () => used.client.say({}));
    await pass();
    assert.equal((await Promise.all(calls)).length, 30);
    assert.deepEqual(dialsOf(used), [2, 2, 2]);
    await closeIn(pass, used.transport);
  });

  test("gives calls that wait at an address to another when it is killed", async (t) => {
    const pass = useFakeTime(t);
    const hanging = new FakeServer("hanging", { say: () => new Promise(() => undefined) });
    const used = setup({ loadBalancing, peer: "sequential", maxConnections: 1, retry: { maxAttempts: 1 } }, ["b"]);
    const [b] = used.servers as [FakeServer];
    used.found.targets = [hanging.target, b.target];
    await answers(used.client, pass, 0);
    const calls = Array.from({ length: 6 }, () =>
      used.client.say({}).then(
        ({ sentence }) => sentence,
        () => "lost",
      ),
    );
    await pass();
    hanging.kill();
    await pass();
    const results = await Promise.all(calls);
    assert.equal(results.filter((result) => result === "lost").length, 1, "only the one that ran there");
    await closeIn(pass, used.transport);
  });

  test("lets calls that wait for a connection end when the transport is closed, or fails them in time", async (t) => {
    const pass = useFakeTime(t);
    const used = setup({ loadBalancing });
    const call = used.client.say({});
    const closing = used.transport.close();
    await pass();
    assert.match((await call).sentence, /[abc]/);
    await closing;

    const other = setup({ loadBalancing });
    for (const server of other.servers) {
      server.mode = "hangs";
    }
    const late = assert.rejects(other.client.say({}), { code: Code.Canceled, notStarted: true });
    await pass();
    const closed = other.transport.close({ drainMs: 50 });
    await pass(50);
    await late;
    await closed;
    assert.deepEqual(
      other.servers.map(({ abandoned }) => abandoned),
      [1, 1, 1],
    );
  });
});
