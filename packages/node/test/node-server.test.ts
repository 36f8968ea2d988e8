// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { describe, test } from "node:test";
import { Code } from "@ts-drpc/core";
import { certificates, EchoHandler } from "@ts-drpc-internal/fixtures";
import { createNodeServer } from "../src/index.js";
import { aborted, HangingHandler, useClient, useForeignClient, useServer, useSocketPath } from "./harness.js";
import { rawRepeat } from "./raw-repeat.js";

const timeout = 20_000;
const host = "127.0.0.1";

describe("listening", { timeout }, () => {
  test("on port 0 takes any free port, and tells which", async (t) => {
    const { server } = useServer(t);
    const address = await server.listen({ host, port: 0 });
    assert.equal(address.host, host);
    assert.equal((await useClient(t, address).say({ sentence: "found" })).sentence, "found");
  });

  test("without a host takes all addresses of the machine", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ port: 0 });
    assert.equal((await useClient(t, { host, port }).say({ sentence: "any" })).sentence, "any");
  });

  test("on several addresses serves all of them, and close ends all", async (t) => {
    const { server } = useServer(t);
    const path = await useSocketPath(t);
    const first = await server.listen({ host, port: 0 });
    const second = await server.listen({ host, port: 0, tls: certificates.server });
    assert.deepEqual(await server.listen({ path }), { path });
    const clients = [
      useClient(t, first),
      useClient(t, { ...second, tls: { ca: certificates.authority } }),
      useClient(t, { path }),
    ];
    const replies = await Promise.all(clients.map((echo) => echo.say({ sentence: "all" })));
    assert.deepEqual(
      replies.map(({ sentence }) => sentence),
      ["all", "all", "all"],
    );
    assert.equal(server.connectionCount, 3);
    assert.deepEqual(await server.close(), { connections: 3, drained: 0, aborted: 0 });
    assert.equal(server.connectionCount, 0);
    await Promise.all(clients.map((echo) => assert.rejects(echo.say({}), { code: Code.Unavailable })));
    await assert.rejects(stat(path), { code: "ENOENT" }, "the unix socket is removed");
  });

  test("on a port in use is refused by name, and the server can listen elsewhere", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host, port: 0 });
    const { server: second } = useServer(t);
    await assert.rejects(second.listen({ host, port }), {
      name: "DrpcError",
      code: Code.Unavailable,
      rawMessage: `cannot listen on 127.0.0.1:${port}: the address is in use already (EADDRINUSE)`,
    });
    assert.ok((await second.listen({ host, port: 0 })).port > 0);
  });

  test("at a unix socket in use is refused by its path", async (t) => {
    const path = await useSocketPath(t);
    await useServer(t).server.listen({ path });
    const why = "if no server does, one that was killed left the file behind: remove it";
    const rawMessage = `cannot listen on ${path}: the address is in use already (EADDRINUSE); ${why}`;
    await assert.rejects(useServer(t).server.listen({ path }), { rawMessage });
  });

  test("in a directory that does not exist is refused by its path", async (t) => {
    const path = `${await useSocketPath(t)}/below/echo.sock`;
    const message = new RegExp(`cannot listen on ${path}: `);
    await assert.rejects(useServer(t).server.listen({ path }), { name: "DrpcError", message });
  });

  test("is over once the server was closed, even if it had begun before", async (t) => {
    const { server } = useServer(t);
    const error = { name: "TypeError", message: "the server was closed, and cannot listen again" };
    const begun = assert.rejects(server.listen({ host, port: 0 }), error);
    await server.close();
    await begun;
    await assert.rejects(server.listen({ host, port: 0 }), error);
  });

  test("with maxConnections closes the connection that is too many, and tells why", async (t) => {
    const { server, nextFailure } = useServer(t, { maxConnections: 1 });
    const { port } = await server.listen({ host, port: 0 });
    const first = useClient(t, { host, port });
    await first.say({});
    await assert.rejects(useClient(t, { host, port }).say({}), { code: Code.Unavailable });
    const { error, peer } = await nextFailure();
    assert.equal(error.code, Code.ResourceExhausted);
    assert.equal(error.rawMessage, `the connection from ${peer.address} was closed, the limit maxConnections is 1`);
    assert.equal((await first.say({ sentence: "kept" })).sentence, "kept");
  });

  test("tells handlers where their callers are", async (t) => {
    const peers: string[] = [];
    const echo = new EchoHandler();
    const { server } = useServer(
      t,
      {},
      {
        say: (request, context) => {
          peers.push(context.peer.address);
          return echo.say(request, context);
        },
      },
    );
    const path = await useSocketPath(t);
    const { port } = await server.listen({ host, port: 0 });
    await server.listen({ path });
    await useClient(t, { host, port }).say({});
    await useClient(t, { path }).say({});
    assert.match(peers[0] ?? "", /^127\.0\.0\.1:\d+$/);
    assert.equal(peers[1], path);
  });
});

describe("closing", { timeout }, () => {
  test("twice, and at the same time, gives the same report", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host, port: 0 });
    await useClient(t, { host, port }).say({});
    const [first, second] = await Promise.all([server.close(), server.close({ drainMs: 0 })]);
    assert.deepEqual(first, { connections: 1, drained: 0, aborted: 0 });
    assert.equal(second, first);
    assert.equal(await server.close(), first);
  });

  test("a server that never listened does nothing", async (t) => {
    const { server } = useServer(t);
    assert.deepEqual(await server.close(), { connections: 0, drained: 0, aborted: 0 });
  });

  test("happens at the end of the block of `await using`", async (t) => {
    let port: number;
    {
      await using server = createNodeServer({ routes: () => undefined });
      ({ port } = await server.listen({ host, port: 0 }));
    }
    await assert.rejects(useClient(t, { host, port }).say({}), { message: /connection refused/ });
  });

  test("counts what was aborted on all connections, and aborts their handlers with the reason", async (t) => {
    const hanging = new HangingHandler();
    const { server } = useServer(t, {}, hanging);
    const { port } = await server.listen({ host, port: 0 });
    const clients = [useClient(t, { host, port }), useClient(t, { host, port })];
    const error = { code: Code.Unavailable, message: /the server was shut down/ };
    const calls = clients.map((echo) => assert.rejects(echo.say({}), error));
    const contexts = [await hanging.started(), await hanging.started()];
    assert.deepEqual(await server.close({ drainMs: 0 }), { connections: 2, drained: 0, aborted: 2 });
    await Promise.all(calls);
    for (const { signal } of contexts) {
      assert.match(String(await aborted(signal)), /the server was shut down/);
    }
  });

  test("does not wait for a TLS handshake that is under way", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host, port: 0, tls: certificates.server });
    const socket = await useForeignClient(t, port);
    socket.resume();
    const gone = once(socket, "close");
    // The server has seen the connection once a later one was served.
    await useClient(t, { host: "localhost", port, tls: { ca: certificates.authority } }).say({});
    assert.deepEqual(await server.close(), { connections: 1, drained: 0, aborted: 0 });
    await gone;
  });

  test("does not wait for a peer that never reads", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host, port: 0 });
    const socket = await useForeignClient(t, port);
    // Replies without an end, and not one of them is taken.
    socket.write(rawRepeat({ times: 1_000_000, attachment: new Uint8Array(32_768) }));
    await once(socket, "readable");
    assert.deepEqual(await server.close({ drainMs: 10 }), { connections: 1, drained: 0, aborted: 1 });
    assert.equal(server.connectionCount, 0);
  });
});
