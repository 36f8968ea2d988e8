// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import tls from "node:tls";
import { Code } from "@ts-drpc/core";
import { type ServerInUse, useClient, useForeignClient, useForeignServer, useServer } from "./harness.js";

const timeout = 20_000;

describe("a client that does not speak DRPC", { timeout }, () => {
  const cases: { [what: string]: (socket: net.Socket) => void } = {
    "an HTTP request": (socket) => socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "random bytes": (socket) => socket.write(randomBytes(4_096)),
    "a TLS handshake": (socket) => tls.connect({ socket, rejectUnauthorized: false }).on("error", () => undefined),
  };
  for (const [what, speak] of Object.entries(cases)) {
    test(`${what} ends that connection alone, and the server is told`, async (t) => {
      const { port, nextFailure, server } = await listening(t);
      const neighbour = useClient(t, { host: "127.0.0.1", port });
      assert.equal((await neighbour.say({ sentence: "before" })).sentence, "before");

      const socket = await useForeignClient(t, port);
      const address = `127.0.0.1:${socket.localPort}`;
      const closed = once(socket, "close");
      speak(socket);
      socket.resume();
      await closed;

      const { error, peer } = await nextFailure();
      assert.equal(error.code, Code.Internal);
      assert.ok(error.message.includes(address), `${error.message} names ${address}`);
      assert.match(error.message, /protocol error: .*first bytes/s);
      assert.equal(peer.address, address);
      assert.equal((await neighbour.say({ sentence: "after" })).sentence, "after");
      assert.equal(server.connectionCount, 1);
    });
  }

  test("one that leaves without a word is no error", async (t) => {
    const { port, server, failures } = await listening(t);
    const socket = await useForeignClient(t, port);
    const neighbour = useClient(t, { host: "127.0.0.1", port });
    await neighbour.say({});
    assert.equal(server.connectionCount, 2);
    socket.end();
    socket.resume();
    await once(socket, "close");
    await neighbour.say({});
    assert.equal(server.connectionCount, 1);
    assert.deepEqual(failures, []);
  });

  test("one that leaves in the middle of a frame is told of", async (t) => {
    const { port, nextFailure } = await listening(t);
    const socket = await useForeignClient(t, port);
    socket.end(Uint8Array.of(0x03, 0x01, 0x01, 0x40, 0x2f));
    const { error } = await nextFailure();
    assert.equal(error.code, Code.Unavailable);
    assert.match(error.message, /closed by the peer, in the middle of a frame/);
  });

  test("an onConnectionError that throws brings down nothing", async (t) => {
    const logged = t.mock.method(console, "error", () => undefined);
    const { port } = await listening(t, () => {
      throw new Error("the reporter is broken");
    });
    const socket = await useForeignClient(t, port);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    assert.equal((await useClient(t, { host: "127.0.0.1", port }).say({ sentence: "up" })).sentence, "up");
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /onConnectionError threw/);
  });
});

describe("a server that does not speak DRPC", { timeout }, () => {
  test("an HTTP server is recognised by its first bytes", async (t) => {
    const port = await useForeignServer(t, http.createServer());
    const error = { code: Code.Internal, message: /protocol error: .*127\.0\.0\.1:\d+.*HTTP\/1\.1 400/s };
    await assert.rejects(useClient(t, { host: "127.0.0.1", port }).say({}), error);
  });

  test("random bytes fail the call and name the server", async (t) => {
    const port = await useForeignServer(
      t,
      createServer((socket) => socket.write(randomBytes(4_096))),
    );
    const error = { code: Code.Internal, message: new RegExp(`protocol error: .*127\\.0\\.0\\.1:${port}`, "s") };
    await assert.rejects(useClient(t, { host: "127.0.0.1", port }).say({}), error);
  });

  test("one that hangs up fails the call, and the next call tries again", async (t) => {
    let connections = 0;
    const port = await useForeignServer(
      t,
      createServer((socket) => {
        connections++;
        socket.end();
      }),
    );
    const echo = useClient(t, { host: "127.0.0.1", port });
    const error = { code: Code.Unavailable, message: new RegExp(`127\\.0\\.0\\.1:${port}`) };
    await assert.rejects(echo.say({}), error);
    await assert.rejects(echo.say({}), error);
    assert.equal(connections, 2);
  });
});

async function listening(
  t: TestContext,
  onConnectionError?: () => void,
): Promise<ServerInUse & { readonly port: number }> {
  const used = useServer(t, onConnectionError === undefined ? {} : { onConnectionError });
  const { port } = await used.server.listen({ host: "127.0.0.1", port: 0 });
  return { ...used, port };
}

/** The same bytes in every run. */
function randomBytes(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}
