// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import tls from "node:tls";
import { Code, type DrpcError } from "@ts-drpc/core";
import { certificates, createEchoServiceClient, EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import {
  type ConnectionListener,
  type ConnectionListenerOptions,
  createConnectionListener,
  createDuplexTransport,
} from "../src/index.js";
import { HangingHandler, useClient, useForeignServer } from "./harness.js";

const timeout = 20_000;
const host = "127.0.0.1";

describe("a connection listener", { timeout }, () => {
  test("serves the connections of anybody's net.Server", async (t) => {
    const listener = useListener(t);
    const port = await useForeignServer(t, net.createServer(listener.accept));
    assert.equal((await useClient(t, { host, port }).say({ sentence: "mine" })).sentence, "mine");
    assert.equal(listener.connectionCount, 1);
    assert.deepEqual(await listener.close(), { connections: 1, drained: 0, aborted: 0 });
    assert.equal(listener.connectionCount, 0);
  });

  test("serves the connections of anybody's tls.Server", async (t) => {
    const listener = useListener(t);
    const port = await useForeignServer(t, tls.createServer(certificates.server, listener.accept));
    const echo = useClient(t, { host, port, tls: { ca: certificates.authority } });
    assert.equal((await echo.say({ sentence: "mine" })).sentence, "mine");
  });

  test("serves a connection that its owner lets be half-open", async (t) => {
    const listener = useListener(t);
    const port = await useForeignServer(t, net.createServer({ allowHalfOpen: true }, listener.accept));
    const socket = net.connect({ host, port, allowHalfOpen: true });
    const echo = createEchoServiceClient(createDuplexTransport(socket));
    assert.equal((await echo.say({ sentence: "both" })).sentence, "both");
    const closed = once(socket, "close");
    await listener.close();
    await closed;
  });

  test("serves any Duplex, and names its peer as it is told", async (t) => {
    const peers: string[] = [];
    const echo = new EchoHandler();
    const listener = useListener(t, {
      routes: (router) =>
        registerEchoService(router, {
          say: (request, context) => {
            peers.push(context.peer.address);
            return echo.say(request, context);
          },
        }),
    });
    for (const address of [undefined, "next door"]) {
      const [here, there] = duplexPair();
      listener.accept(there, address);
      await using transport = createDuplexTransport(here);
      await createEchoServiceClient(transport).say({});
    }
    assert.deepEqual(peers, ["a stream", "next door"]);
  });

  test("survives a Duplex that breaks, and tells why", async (t) => {
    const failures: DrpcError[] = [];
    const hanging = new HangingHandler();
    const listener = useListener(t, {
      routes: (router) => registerEchoService(router, hanging),
      onConnectionError: (error) => failures.push(error),
    });
    const [here, there] = duplexPair();
    listener.accept(there, "a shaky pipe");
    const call = createEchoServiceClient(createDuplexTransport(here))
      .say({})
      .catch(() => undefined);
    await hanging.started();
    there.destroy(new Error("it broke"));
    here.destroy();
    await call;
    assert.equal(failures[0]?.code, Code.Unavailable);
    assert.equal(failures[0]?.rawMessage, "the connection to a shaky pipe was lost: it broke");
  });

  test("takes a Duplex that is gone already as one that has ended", async (t) => {
    const listener = useListener(t);
    const duplex = new PassThrough();
    duplex.destroy();
    await once(duplex, "close");
    listener.accept(duplex);
    assert.deepEqual(await listener.close(), { connections: 1, drained: 0, aborted: 0 });
  });

  test("that was closed takes no more", async (t) => {
    const listener = useListener(t);
    const report = await listener.close();
    assert.equal(await listener.close(), report);
    const [here, there] = duplexPair();
    // Streams that are made by Duplex.from complain when they are destroyed.
    here.on("error", () => undefined);
    listener.accept(there);
    assert.equal(there.destroyed, true);
    assert.equal(listener.connectionCount, 0);
    here.destroy();
  });
});

function useListener(t: TestContext, options: Partial<ConnectionListenerOptions> = {}): ConnectionListener {
  const routes: ConnectionListenerOptions["routes"] = (router) => registerEchoService(router, new EchoHandler());
  const listener = createConnectionListener({ routes, ...options });
  t.after(() => listener.close({ drainMs: 0 }));
  return listener;
}

/** Two streams back to back. */
function duplexPair(): [Duplex, Duplex] {
  const [one, other] = [new PassThrough(), new PassThrough()];
  return [Duplex.from({ readable: one, writable: other }), Duplex.from({ readable: other, writable: one })];
}
