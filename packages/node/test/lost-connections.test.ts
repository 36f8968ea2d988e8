// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { Duplex } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import { EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { createConnectionListener } from "../src/index.js";
import { aborted, HangingHandler, useClient, useForeignClient, useForeignServer, useServer } from "./harness.js";
import { rawRepeat } from "./raw-repeat.js";

const timeout = 20_000;
const host = "127.0.0.1";

describe("a connection that is lost in the middle of a call", { timeout }, () => {
  test("by a reset fails the call, aborts the handler, and the next call gets a new connection", async (t) => {
    const hanging = new HangingHandler();
    const { server, nextFailure } = useServer(t, {}, hanging);
    const { port } = await server.listen({ host, port: 0 });
    const relay = await useRelay(t, port);
    const echo = useClient(t, { host, port: relay.port });
    for (let round = 1; round <= 2; round++) {
      const text = `/echo.v1.EchoService/Say: the connection to ${host}:${relay.port} was lost: the peer reset the connection (ECONNRESET)`;
      const lost = assert.rejects(echo.say({}), { code: Code.Unavailable, rawMessage: text, notStarted: false });
      const { signal } = await hanging.started();
      relay.reset();
      await lost;
      const reason = await aborted(signal);
      assert.ok(reason instanceof DrpcError);
      assert.equal(reason.code, Code.Unavailable);
      assert.match(reason.message, /the connection to 127\.0\.0\.1:\d+ was lost: the peer reset the connection/);
      assert.match((await nextFailure()).error.message, /the peer reset the connection/);
      assert.equal(relay.connections, round);
    }
    assert.equal(server.connectionCount, 0);
  });

  test("in an orderly way fails the call just the same", async (t) => {
    const hanging = new HangingHandler();
    const { server, nextFailure } = useServer(t, {}, hanging);
    const { port } = await server.listen({ host, port: 0 });
    const relay = await useRelay(t, port);
    const lost = assert.rejects(useClient(t, { host, port: relay.port }).say({}), {
      code: Code.Unavailable,
      message: new RegExp(`the connection to ${host}:${relay.port} was closed by the peer`),
    });
    const { signal } = await hanging.started();
    relay.end();
    await lost;
    assert.equal(((await aborted(signal)) as DrpcError).code, Code.Unavailable);
    assert.match((await nextFailure()).error.message, /was closed by the peer/);
  });

  test("fails all calls on it, of all kinds", async (t) => {
    const hanging = new HangingHandler();
    const { server } = useServer(t, {}, hanging);
    const { port } = await server.listen({ host, port: 0 });
    const relay = await useRelay(t, port);
    // All on one connection, however long the answer to the first call takes.
    const echo = useClient(t, { host, port: relay.port, peer: "multiplexed" });
    const calls = Array.from({ length: 20 }, () => assert.rejects(echo.say({}), { code: Code.Unavailable }));
    const contexts = await Promise.all(calls.map(() => hanging.started()));
    relay.reset();
    await Promise.all([...calls, ...contexts.map(({ signal }) => aborted(signal))]);
  });
});

describe("the end of one direction", { timeout }, () => {
  test("is the end of both: a client that half-closes aborts its calls", async (t) => {
    const { server, nextFailure } = useServer(t);
    const { port } = await server.listen({ host, port: 0 });
    const socket = await useForeignClient(t, port);
    socket.write(rawRepeat({ times: 1_000_000, sentence: "on and on" }));
    await once(socket, "readable");
    const closed = once(socket, "close");
    socket.end();
    socket.resume();
    await closed;
    assert.match((await nextFailure()).error.message, /was closed by the peer/);
    assert.equal(server.connectionCount, 0);
  });

  test("is the end of both: a server that half-closes fails the calls", async (t) => {
    const gone: Promise<unknown>[] = [];
    const listener = net.createServer({ allowHalfOpen: true }, (socket) => {
      gone.push(once(socket, "close"));
      socket.resume();
      socket.end();
      socket.once("end", () => socket.destroy());
    });
    const port = await useForeignServer(t, listener);
    const message = new RegExp(`the connection to ${host}:${port} was closed by the peer`);
    await assert.rejects(useClient(t, { host, port }).say({}), { code: Code.Unavailable, message });
    await Promise.all(gone);
  });
});

test("a connection lost while nothing is under way is made anew for the next call", { timeout }, async (t) => {
  const { server } = useServer(t, {}, new EchoHandler());
  const { port } = await server.listen({ host, port: 0 });
  const relay = await useRelay(t, port);
  const echo = useClient(t, { host, port: relay.port });
  await echo.say({});
  relay.reset();
  // The client hears of it at some time, and until then a call may be lost with the connection.
  const [first] = await Promise.allSettled([echo.say({ sentence: "first" })]);
  assert.equal((await echo.say({ sentence: "second" })).sentence, "second");
  assert.equal(first?.status === "rejected" ? first.reason.code : Code.Unavailable, Code.Unavailable);
  assert.equal(relay.connections, 2);
});

test("a connection that breaks as it is written to stops a handler that sends for ever", { timeout }, async () => {
  // As a socket whose peer has reset it: it is destroyed, and says so a few turns later.
  const broken = new Duplex({
    writableHighWaterMark: 1_000_000,
    read() {},
    write(_chunk, _encoding, written) {
      written();
      process.nextTick(() => this.destroy(new Error("broken")));
    },
    destroy(reason, callback) {
      setImmediate(() => setImmediate(() => callback(reason)));
    },
  });
  let sent = 0;
  const enough = 100_000;
  const ended = new Promise<void>((resolve) => {
    const listener = createConnectionListener({
      routes: (router) =>
        registerEchoService(router, {
          async *repeat() {
            try {
              // Without an end this process would never come to another turn, nor to a failure of this test.
              for (; sent < enough; sent++) {
                yield { sentence: "x".repeat(1_000) };
              }
            } finally {
              resolve();
            }
          },
        }),
    });
    listener.accept(broken);
    broken.push(rawRepeat({ times: 1 }));
  });
  await ended;
  assert.ok(sent < enough, "the handler could send as much as it would");
});

/** Stands between client and server, and does to their connection what they would not do themselves. */
interface Relay {
  readonly port: number;
  readonly connections: number;

  /** Resets the newest connection in both directions. */
  reset(): void;

  /** Ends the newest connection in both directions. */
  end(): void;
}

async function useRelay(t: TestContext, to: number): Promise<Relay> {
  const pairs: (readonly [net.Socket, net.Socket])[] = [];
  const port = await useForeignServer(
    t,
    net.createServer((inward) => {
      const outward = net.connect({ host, port: to });
      outward.on("error", () => undefined);
      t.after(() => outward.destroy());
      inward.pipe(outward).pipe(inward);
      pairs.push([inward, outward]);
    }),
  );
  const newest = (): readonly net.Socket[] => pairs.at(-1) ?? [];
  return {
    port,
    get connections() {
      return pairs.length;
    },
    reset: () => {
      for (const socket of newest()) {
        socket.resetAndDestroy();
      }
    },
    end: () => {
      for (const socket of newest()) {
        socket.end();
      }
    },
  };
}
