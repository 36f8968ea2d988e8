// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import dns from "node:dns";
import net from "node:net";
import { describe, type TestContext, test } from "node:test";
import { Code, type SessionTransport, type TransportState } from "@ts-drpc/core";
import { certificates, createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { createNodeTransport, type NodeAddress, type NodeServer, type NodeTransportOptions } from "../src/index.js";
import { closedPort, HangingHandler, useForeignServer, useServer, useSocketPath } from "./harness.js";

const timeout = 20_000;
const host = "127.0.0.1";
const quick = { initialReconnectMs: 5, maxReconnectMs: 20 };

/** A server whose answers are its name, on a port of its own. */
async function namedServer(t: TestContext, name: string, address: { host?: string; port?: number } = {}) {
  const { server } = useServer(t, {}, { say: () => ({ sentence: name }) });
  const { port } = await server.listen({ host, port: 0, ...address });
  return { server, port };
}

function use(t: TestContext, options: NodeTransportOptions): { transport: SessionTransport; echo: EchoServiceClient } {
  const transport = createNodeTransport(options);
  t.after(() => transport.close({ drainMs: 0 }));
  return { transport, echo: createEchoServiceClient(transport) };
}

/** Ends a server and all its connections at once, as the end of its process does. */
async function kill(server: NodeServer): Promise<void> {
  await server.close({ drainMs: 0 });
}

/** Makes calls until one of them succeeds, which some do not while the loss of a connection is not noticed yet. */
async function eventually(echo: EchoServiceClient): Promise<string> {
  for (;;) {
    try {
      return (await echo.say({}, { waitForReady: true, timeoutMs: 10_000 })).sentence;
    } catch (reason) {
      assert.equal((reason as { code: number }).code, Code.Unavailable);
    }
  }
}

/** Makes calls one after the other, and returns the distinct answers. */
async function answers(echo: EchoServiceClient, count: number): Promise<string[]> {
  const all = new Set<string>();
  for (let made = 0; made < count; made++) {
    all.add((await echo.say({})).sentence);
  }
  return [...all].sort();
}

/** Waits until calls have found all of these. */
async function untilAnswers(echo: EchoServiceClient, wanted: readonly string[]): Promise<void> {
  while (JSON.stringify(await answers(echo, 2 * wanted.length)) !== JSON.stringify([...wanted].sort())) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Makes names resolve to addresses. */
function useNames(t: TestContext, names: Record<string, readonly string[]>): void {
  const lookup = (
    name: string,
    _options: object,
    callback: (error: Error | null, found?: dns.LookupAddress[]) => void,
  ) =>
    process.nextTick(() => {
      const found = names[name]?.map((address) => ({ address, family: net.isIP(address) }));
      if (found === undefined) {
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
      } else {
        callback(null, found);
      }
    });
  t.mock.method(dns, "lookup", lookup);
}

describe("a transport recovers by itself", { timeout }, () => {
  test("from a server that was killed and comes back at the same port", async (t) => {
    const states: TransportState[] = [];
    const first = await namedServer(t, "first");
    const address = { host, port: first.port };
    const { echo } = use(t, { ...address, ...quick, onStateChange: (state) => states.push(state) });
    assert.equal((await echo.say({})).sentence, "first");
    await kill(first.server);
    for (let failures = 0; failures < 2; failures++) {
      await assert.rejects(echo.say({}), { code: Code.Unavailable });
    }
    const waiting = echo.say({}, { waitForReady: true });
    await namedServer(t, "second", { port: first.port });
    assert.equal((await waiting).sentence, "second");
    const names = states.map(({ connectivity }) => connectivity);
    assert.deepEqual(names.slice(0, 2), ["connecting", "ready"]);
    assert.equal(names.at(-1), "ready");
    assert.ok(names.includes("transientFailure"));
    assert.match(String(states.find(({ error }) => error !== undefined)?.error), new RegExp(`${host}:${first.port}`));
  });

  test("without any call, once it has tried in vain", async (t) => {
    const port = await closedPort();
    let ready = (): void => undefined;
    const recovered = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const onStateChange = ({ connectivity }: TransportState): void => {
      if (connectivity === "ready") {
        ready();
      }
    };
    const { echo, transport } = use(t, { host, port, ...quick, onStateChange });
    await assert.rejects(echo.say({}), { code: Code.Unavailable, notStarted: true });
    await namedServer(t, "late", { port });
    await recovered;
    assert.deepEqual(transport.state, { connectivity: "ready", address: `${host}:${port}` });
  });

  test("from a server that moved to another port", async (t) => {
    const first = await namedServer(t, "first");
    let addresses: readonly NodeAddress[] = [{ host, port: first.port }];
    const { echo } = use(t, { addresses: async () => addresses, ...quick });
    assert.equal((await echo.say({})).sentence, "first");
    const second = await namedServer(t, "second");
    addresses = [{ host, port: second.port }];
    await kill(first.server);
    assert.equal(await eventually(echo), "second");
  });

  test("from a server that was full, and closed its connections at once", async (t) => {
    const { server } = useServer(t, { maxConnections: 1 });
    const { port } = await server.listen({ host, port: 0 });
    const occupying = use(t, { host, port });
    await occupying.echo.say({});
    const { echo } = use(t, { host, port, ...quick });
    await assert.rejects(echo.say({}), { code: Code.Unavailable });
    await occupying.transport.close();
    assert.equal(await eventually(echo), "");
  });

  test("from an attempt that hangs, when connectTimeoutMs is over", async (t) => {
    const silent = await useForeignServer(t, net.createServer());
    const second = await namedServer(t, "second");
    const tls = { ca: certificates.authority };
    const secured = useServer(t, {}, { say: () => ({ sentence: "third" }) });
    const third = await secured.server.listen({ host, port: 0, tls: certificates.server });
    const addresses = [silent, second.port, third.port].map((port) => ({ host, port }));
    const { echo } = use(t, { addresses, tls, connectTimeoutMs: 500, ...quick });
    // The one that answers may take longer too, where much else runs, and is then tried again.
    assert.equal((await echo.say({}, { waitForReady: true })).sentence, "third");
  });

  for (const loadBalancing of ["pick-first", "round-robin"] as const) {
    test(`without the loss of a call from a server that is restarted in good order, with ${loadBalancing}`, async (t) => {
      const first = await namedServer(t, "first");
      const options = { loadBalancing, retry: { maxAttempts: 10 }, ...quick };
      const { echo } = use(t, { addresses: [{ host, port: first.port }], ...options });
      let running = true;
      const seen = new Set<string>();
      const callers = Array.from({ length: 20 }, async () => {
        while (running) {
          seen.add((await echo.say({}, { waitForReady: true })).sentence);
        }
      });
      while (!seen.has("first")) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await first.server.close({ drainMs: 10_000 });
      await namedServer(t, "second", { port: first.port });
      while (!seen.has("second")) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      running = false;
      await Promise.all(callers);
    });
  }

  test("and calls under way fail once each, whatever becomes of the server", async (t) => {
    const hanging = new HangingHandler();
    const { server } = useServer(t, {}, hanging);
    const { port } = await server.listen({ host, port: 0 });
    const { echo } = use(t, { host, port, ...quick });
    const outcomes: unknown[] = [];
    const calls = Array.from({ length: 20 }, () => echo.say({}).catch((reason) => outcomes.push(reason.code)));
    await Promise.all(calls.map(() => hanging.started()));
    await kill(server);
    await Promise.all(calls);
    assert.deepEqual(outcomes, Array(20).fill(Code.Unavailable));
  });
});

describe("several addresses", { timeout }, () => {
  test("are tried in their order, a unix socket among them", async (t) => {
    const path = await useSocketPath(t);
    const { server } = useServer(t, {}, { say: () => ({ sentence: "socket" }) });
    await server.listen({ path });
    const addresses = [{ host, port: await closedPort() }, { path }];
    const { echo, transport } = use(t, { addresses });
    assert.equal((await echo.say({})).sentence, "socket");
    assert.equal(transport.state.address, path);
  });

  test("take calls in turn with round-robin, and one that is killed takes none until it is back", async (t) => {
    const servers = await Promise.all(["a", "b", "c"].map((name) => namedServer(t, name)));
    const addresses = servers.map(({ port }) => ({ host, port }));
    const { echo } = use(t, { addresses, loadBalancing: "round-robin", ...quick });
    await untilAnswers(echo, ["a", "b", "c"]);
    const [, b] = servers as [unknown, Awaited<ReturnType<typeof namedServer>>];
    await kill(b.server);
    const left = await Promise.allSettled(Array.from({ length: 6 }, () => echo.say({})));
    assert.ok(left.filter(({ status }) => status === "rejected").length <= 3);
    await untilAnswers(echo, ["a", "c"]);
    await namedServer(t, "d", { port: b.port });
    await untilAnswers(echo, ["a", "c", "d"]);
  });

  test("of one name take calls in turn too, as many as it has", async (t) => {
    const one = await namedServer(t, "one", { host: "127.0.0.1" });
    await namedServer(t, "two", { host: "127.0.0.2", port: one.port });
    const names: Record<string, readonly string[]> = { "echo.test": ["127.0.0.1"] };
    useNames(t, names);
    const states: TransportState[] = [];
    const { echo } = use(t, {
      host: "echo.test",
      port: one.port,
      loadBalancing: "round-robin",
      onStateChange: (state) => states.push(state),
      ...quick,
    });
    await untilAnswers(echo, ["one"]);
    assert.equal(states.at(-1)?.address, `echo.test:${one.port} (127.0.0.1)`);
    names["echo.test"] = ["127.0.0.2"];
    await kill(one.server);
    assert.equal(await eventually(echo), "two");
  });

  test("fail the call if none of their names is known, and count without those that are not", async (t) => {
    const known = await namedServer(t, "known");
    useNames(t, { "known.test": [host] });
    const unknown = { host: "unknown.test", port: 1 };
    const loadBalancing = "round-robin";
    await assert.rejects(use(t, { addresses: [unknown], loadBalancing }).echo.say({}), {
      code: Code.Unavailable,
      notStarted: true,
      message: /cannot look up unknown.test:1: there is no host of this name \(ENOTFOUND\)/,
    });
    const { echo } = use(t, { addresses: [unknown, { host: "known.test", port: known.port }], loadBalancing });
    assert.deepEqual(await answers(echo, 3), ["known"]);
  });

  for (const loadBalancing of ["pick-first", "round-robin"] as const) {
    test(`are each held to the name that they were found by, with TLS and ${loadBalancing}`, async (t) => {
      const { server } = useServer(t, {}, { say: () => ({ sentence: "right" }) });
      const right = await server.listen({ host, port: 0, tls: certificates.server });
      const other = useServer(t, {}, { say: () => ({ sentence: "another server" }) });
      const wrong = await other.server.listen({ host, port: 0, tls: certificates.elsewhere });
      const addresses = [
        { host: "localhost", port: wrong.port },
        { host: "localhost", port: right.port },
      ];
      const tls = { ca: certificates.authority };
      const { echo } = use(t, { addresses, tls, loadBalancing, ...quick });
      assert.deepEqual(await answers(echo, 5), ["right"]);
      await kill(server);
      await assert.rejects(
        (async () => {
          for (;;) {
            assert.equal((await echo.say({})).sentence, "right");
          }
        })(),
        { code: Code.Unavailable },
      );
    });
  }
});

describe("closing a transport", { timeout }, () => {
  test("that cannot connect leaves nothing open", async (t) => {
    const silent = await useForeignServer(t, net.createServer());
    const port = await closedPort();
    for (const loadBalancing of ["pick-first", "round-robin"] as const) {
      const before = process.getActiveResourcesInfo().length;
      const addresses = [
        { host, port },
        { host, port: silent },
      ];
      const transport = createNodeTransport({ addresses, loadBalancing, tls: { ca: certificates.authority } });
      const echo = createEchoServiceClient(transport);
      const call = assert.rejects(echo.say({}, { waitForReady: true }), { code: Code.Canceled, notStarted: true });
      await transport.close({ drainMs: 20 });
      await call;
      while (process.getActiveResourcesInfo().length > before) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });

  test("does not wait for a function that never gives the addresses", async (t) => {
    const { transport, echo } = use(t, { addresses: () => new Promise(() => undefined) });
    const call = assert.rejects(echo.say({}), { code: Code.Canceled, notStarted: true });
    await transport.close({ drainMs: 1 });
    await call;
  });
});

test("a function that throws, or gives no addresses, fails the call and not the process", { timeout }, async (t) => {
  const wrong: readonly (() => never)[] = [
    () => {
      throw new Error("no idea");
    },
    () => [] as never,
    () => [{ port: 0 }] as never,
    () => 5 as never,
  ];
  const messages = [/no idea/, /addresses must be a list of at least one/, /port must be/, /addresses must be a list/];
  for (const [index, addresses] of wrong.entries()) {
    const error = { name: "DrpcError", code: Code.Unavailable, notStarted: true, message: messages[index] };
    await assert.rejects(use(t, { addresses }).echo.say({}), error);
  }
});
