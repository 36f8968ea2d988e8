// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { describe, type TestContext, test } from "node:test";
import tls from "node:tls";
import type { DrpcError } from "@ts-drpc/core";
import { certificates, createEchoServiceClient, EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { createConnectionListener, createNodeTransport, type SharePortOptions, sharePort } from "../src/index.js";

const timeout = 20_000;
const { authority: ca, server } = certificates;

interface SharedPort {
  readonly port: number;
  readonly errors: string[];
}

/** Serves DRPC, HTTP of both versions, and a protocol that says back what it hears, on one port. */
async function useSharedPort(t: TestContext, options: Partial<SharePortOptions> = {}): Promise<SharedPort> {
  const errors: string[] = [];
  const drpc = createConnectionListener({ routes: (router) => registerEchoService(router, new EchoHandler()) });
  const http1 = http.createServer((request, response) => response.end(`http/1 ${request.url}`));
  const h2 = http2.createServer((request, response) => response.end(`http/2 ${request.url}`));
  const other = net.createServer((socket) => socket.pipe(socket));
  const sockets = new Set<net.Socket>();
  const accept = sharePort({
    drpc: drpc.accept,
    http1,
    http2: h2,
    other,
    onConnectionError: (error: DrpcError) => errors.push(error.rawMessage),
    ...options,
  });
  const listening = net.createServer((socket) => {
    sockets.add(socket);
    accept(socket);
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  t.after(async () => {
    await drpc.close({ drainMs: 0 });
    for (const socket of sockets) {
      socket.destroy();
    }
    listening.close();
    await once(listening, "close");
  });
  return { port: (listening.address() as net.AddressInfo).port, errors };
}

async function callDrpc(t: TestContext, port: number, secure: boolean): Promise<string> {
  const transport = createNodeTransport({
    host: secure ? "localhost" : "127.0.0.1",
    port,
    migrateHeader: true,
    ...(secure ? { tls: { ca } } : {}),
  });
  t.after(() => transport.close());
  return (await createEchoServiceClient(transport).say({ sentence: "drpc" })).sentence;
}

async function getHttp1(port: number, socket?: net.Socket): Promise<string> {
  const request = http.get({
    port,
    host: "127.0.0.1",
    path: "/a",
    ...(socket ? { createConnection: () => socket } : { agent: false }),
  });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let body = "";
  for await (const chunk of response) {
    body += String(chunk);
  }
  return body;
}

async function getHttp2(
  origin: string,
  options: http2.ClientSessionOptions | http2.SecureClientSessionOptions = {},
): Promise<string> {
  const session = http2.connect(origin, options);
  try {
    const request = session.request({ ":path": "/b" });
    let body = "";
    for await (const chunk of request) {
      body += String(chunk);
    }
    return body;
  } finally {
    session.destroy();
  }
}

async function sayBack(socket: net.Socket, text: string): Promise<string> {
  socket.write(text);
  const [heard] = await once(socket, "data");
  socket.destroy();
  return String(heard);
}

describe("a shared port", { timeout }, () => {
  test("gives each connection to the protocol that it speaks, all at once", async (t) => {
    const { port, errors } = await useSharedPort(t);
    const results = await Promise.all([
      callDrpc(t, port, false),
      getHttp1(port),
      getHttp2(`http://127.0.0.1:${port}`),
      sayBack(net.connect(port, "127.0.0.1"), "\u0001hello"),
      sayBack(net.connect(port, "127.0.0.1"), "lowercase"),
    ]);
    assert.deepEqual(results, ["drpc", "http/1 /a", "http/2 /b", "\u0001hello", "lowercase"]);
    assert.deepEqual(errors, []);
  });

  test("does so too when the first bytes come one by one", async (t) => {
    const { port } = await useSharedPort(t);
    const socket = net.connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    await once(socket, "connect");
    for (const character of "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") {
      await new Promise<void>((resolve) => socket.write(character, () => setImmediate(resolve)));
    }
    let heard = "";
    for await (const chunk of socket) {
      heard += String(chunk);
    }
    assert.match(heard, /http\/1 \/a/);
  });

  test("does all of that behind TLS, by what ALPN says, or without it by the first bytes", async (t) => {
    const { port, errors } = await useSharedPort(t, { tls: { key: server.key, cert: server.cert } });
    const connect = async (ALPNProtocols?: string[]): Promise<tls.TLSSocket> => {
      const socket = tls.connect({
        port,
        host: "127.0.0.1",
        servername: "localhost",
        ca,
        ...(ALPNProtocols && { ALPNProtocols }),
      });
      await once(socket, "secureConnect");
      return socket;
    };
    assert.equal(await callDrpc(t, port, true), "drpc", "the header ahead of TLS");
    assert.equal(await getHttp1(port, await connect()), "http/1 /a");
    assert.equal(await getHttp1(port, await connect(["http/1.1"])), "http/1 /a");
    assert.equal(await getHttp2(`https://localhost:${port}`, { ca }), "http/2 /b");
    assert.equal(await sayBack(await connect(), "\u0001hello"), "\u0001hello");
    const socket = await connect(["drpc"]);
    assert.equal(socket.alpnProtocol, "drpc");
    socket.destroy();
    assert.deepEqual(errors, []);
  });

  test("closes what nobody takes, and says so", async (t) => {
    const { port, errors } = await useSharedPort(t, { http1: undefined, other: undefined });
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n"));
    socket.on("error", () => undefined).resume();
    await once(socket, "close");
    assert.match(errors.join(), /was closed: it speaks http1, which nobody here takes/);
  });

  test("closes a connection that is not encrypted, where all must be", async (t) => {
    const { port, errors } = await useSharedPort(t, { tls: { key: server.key, cert: server.cert } });
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n"));
    socket.on("error", () => undefined).resume();
    await once(socket, "close");
    assert.match(errors.join(), /it is not encrypted, and this port takes TLS only/);
  });

  test("does not wait for ever for a client that says nothing, or half of the header", async (t) => {
    const { port, errors } = await useSharedPort(t, { handshakeTimeoutMs: 50 });
    for (const text of ["", "DRPC"]) {
      const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
      await once(socket.resume(), "close");
    }
    assert.equal(
      errors.filter((error) => /did not say what it speaks within handshakeTimeoutMs, 50 ms/.test(error)).length,
      2,
    );
  });

  test("survives clients that leave, and handshakes that fail", async (t) => {
    const { port, errors } = await useSharedPort(t, { tls: { key: server.key, cert: server.cert } });
    const left = net.connect(port, "127.0.0.1", () => left.destroy());
    await once(left, "close");
    const distrusting = tls.connect({ port, host: "127.0.0.1", servername: "localhost" });
    await once(distrusting, "error");
    const garbage = net.connect(port, "127.0.0.1", () => garbage.write(Buffer.from([0x16, 3, 1, 0, 5, 2, 0, 0, 1, 0])));
    garbage.on("error", () => undefined).resume();
    await once(garbage, "close");
    assert.equal(await callDrpc(t, port, true), "drpc");
    assert.ok(errors.length >= 1, "they are told of");
  });

  test("names the option that has a wrong value", () => {
    assert.throws(
      () => sharePort({} as SharePortOptions),
      /drpc must be a server or a function that takes connections, got undefined/,
    );
    const drpc = (): void => undefined;
    assert.throws(() => sharePort({ drpc, http2: 7 as never }), /http2 must be a server or a function/);
    assert.throws(
      () => sharePort({ drpc, handshakeTimeoutMs: 0 }),
      /handshakeTimeoutMs must be a whole number of milliseconds/,
    );
    assert.throws(() => sharePort({ drpc, tls: { key: "none" } }), /tls was not understood/);
  });
});
