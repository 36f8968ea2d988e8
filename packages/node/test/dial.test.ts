// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import tls from "node:tls";
import { Code } from "@ts-drpc/core";
import { certificates, createEchoServiceClient, EchoHandler } from "@ts-drpc-internal/fixtures";
import { createDuplexTransport, type ListenSecurity } from "../src/index.js";
import {
  closedPort,
  type ServerInUse,
  useClient,
  useForeignClient,
  useForeignServer,
  useServer,
  useSocketPath,
} from "./harness.js";

const timeout = 20_000;
const host = "localhost";
const ca = certificates.authority;

describe("a call to where no server is", { timeout }, () => {
  test("fails with Unavailable if nothing listens on the port", async (t) => {
    const port = await closedPort();
    await assert.rejects(useClient(t, { host: "127.0.0.1", port }).say({}), {
      code: Code.Unavailable,
      notStarted: true,
      rawMessage: `/echo.v1.EchoService/Say: cannot connect to 127.0.0.1:${port}: connection refused, nothing listens there (ECONNREFUSED)`,
    });
  });

  test("tells so of a name with several addresses, and puts an IPv6 address in brackets", async (t) => {
    const port = await closedPort();
    const localhost = new RegExp(`cannot connect to localhost:${port}: .*ECONNREFUSED`);
    await assert.rejects(useClient(t, { port }).say({}), localhost);
    const bracketed = new RegExp(`cannot connect to \\[::1\\]:${port}: `);
    await assert.rejects(useClient(t, { host: "::1", port }).say({}), bracketed);
  });

  test("fails with Unavailable if there is no such unix socket", async (t) => {
    const path = await useSocketPath(t);
    await assert.rejects(useClient(t, { path }).say({}), {
      code: Code.Unavailable,
      notStarted: true,
      rawMessage: `/echo.v1.EchoService/Say: cannot connect to ${path}: there is no such socket (ENOENT)`,
    });
  });

  test("fails with Unavailable if the path is no socket", async (t) => {
    const path = await useSocketPath(t);
    await writeFile(path, "just a file");
    const message = new RegExp(`cannot connect to ${path}: connection refused`);
    await assert.rejects(useClient(t, { path }).say({}), { code: Code.Unavailable, message });
  });

  test("fails with Unavailable if the name is not known", async (t) => {
    t.mock.method(dns, "lookup", (name: string, _options: object, callback: (error: Error) => void) => {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
      process.nextTick(() => callback(error));
    });
    await assert.rejects(useClient(t, { host: "nowhere.invalid", port: 8_080 }).say({}), {
      code: Code.Unavailable,
      notStarted: true,
      rawMessage:
        "/echo.v1.EchoService/Say: cannot connect to nowhere.invalid:8080: there is no host of this name (ENOTFOUND)",
    });
  });

  test("fails all the calls that wait for the connection, and the next one tries again", async (t) => {
    const port = await closedPort();
    const echo = useClient(t, { host: "127.0.0.1", port });
    const calls = await Promise.allSettled([echo.say({}), echo.say({}), echo.say({})]);
    assert.deepEqual(
      calls.map(({ status }) => status),
      Array(3).fill("rejected"),
    );
    const { server } = useServer(t);
    await server.listen({ host: "127.0.0.1", port });
    assert.equal((await echo.say({ sentence: "now" })).sentence, "now");
  });
});

describe("a call over TLS", { timeout }, () => {
  test("goes to a server of a trusted authority, whose certificate names the host or its address", async (t) => {
    const { port } = await secured(t);
    for (const name of ["localhost", "127.0.0.1"]) {
      const echo = useClient(t, { host: name, port, tls: { ca } });
      assert.equal((await echo.say({ sentence: "safe" })).sentence, "safe");
    }
  });

  test("fails if nobody vouches for the server's certificate", async (t) => {
    const { port } = await secured(t, { tls: certificates.stranger });
    const message = new RegExp(`cannot connect to localhost:${port}: unable to verify the first certificate`);
    const error = { code: Code.Unavailable, notStarted: true, message };
    await assert.rejects(useClient(t, { host, port, tls: { ca } }).say({}), error);
  });

  test("fails if the certificate is for another name", async (t) => {
    const { port } = await secured(t, { tls: certificates.elsewhere });
    const message = new RegExp(
      `cannot connect to localhost:${port}: .*localhost.*is not in the cert's altnames: DNS:elsewhere.example`,
    );
    const error = { code: Code.Unavailable, notStarted: true, message };
    await assert.rejects(useClient(t, { host, port, tls: { ca } }).say({}), error);
    const echo = useClient(t, { host, port, tls: { ca, servername: "elsewhere.example" } });
    assert.equal((await echo.say({ sentence: "that name" })).sentence, "that name");
  });

  test("fails if the server wants a certificate and the client has none, or one of a stranger", async (t) => {
    const { port, nextFailure } = await secured(t, { tls: { ...certificates.server, ca, requestCert: true } });
    for (const identity of [{}, certificates.stranger]) {
      const error = { code: Code.Unavailable, message: new RegExp(`localhost:${port}`) };
      await assert.rejects(useClient(t, { host, port, tls: { ca, ...identity } }).say({}), error);
      const failure = await nextFailure();
      assert.match(
        failure.error.message,
        /the TLS handshake with (\S+:\d+|a client that is gone) failed: .*(certificate|ECONNRESET)/,
      );
    }
  });

  test("tells the handler who the caller is, if the caller proved it", async (t) => {
    const seen: unknown[] = [];
    const handler = new EchoHandler();
    const used = useServer(
      t,
      {},
      {
        say: (request, context) => {
          seen.push(context.peer.authInfo);
          return handler.say(request, context);
        },
      },
    );
    const security = { ...certificates.server, ca, requestCert: true, rejectUnauthorized: false };
    const { port } = await used.server.listen({ host: "127.0.0.1", port: 0, tls: security });
    await useClient(t, { host, port, tls: { ca, ...certificates.client } }).say({});
    await useClient(t, { host, port, tls: { ca } }).say({});
    await useClient(t, { host, port, tls: { ca, ...certificates.stranger } }).say({});
    assert.equal((seen[0] as tls.PeerCertificate).subject.CN, "alice");
    assert.deepEqual(seen.slice(1), [undefined, undefined]);
  });

  test("works on a unix socket", async (t) => {
    const path = await useSocketPath(t);
    const { server } = useServer(t);
    await server.listen({ path, tls: certificates.server });
    const echo = useClient(t, { path, tls: { ca } });
    assert.equal((await echo.say({ sentence: "both" })).sentence, "both");
  });

  test("fails if the client's own certificate cannot be read", async (t) => {
    const echo = useClient(t, { port: 1, tls: { key: "no key", cert: "no certificate" } });
    await assert.rejects(echo.say({}), {
      name: "DrpcError",
      notStarted: true,
      message: /cannot connect to localhost:1: /,
    });
  });

  test("fails if the server speaks no TLS, and its other clients go on", async (t) => {
    const { server, nextFailure } = useServer(t);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const neighbour = useClient(t, { host, port });
    await neighbour.say({});
    const message = new RegExp(`cannot connect to localhost:${port}: `);
    await assert.rejects(useClient(t, { host, port, tls: { ca } }).say({}), { code: Code.Unavailable, message });
    assert.match((await nextFailure()).error.message, /protocol error/);
    assert.equal((await neighbour.say({ sentence: "on" })).sentence, "on");
  });

  test("is what a server with TLS insists on", async (t) => {
    const { port, nextFailure } = await secured(t);
    const message = new RegExp(`localhost:${port}`);
    await assert.rejects(useClient(t, { host, port }).say({}), { name: "DrpcError", message });
    assert.match((await nextFailure()).error.message, /the TLS handshake with \S+:\d+ failed: /);
    assert.equal((await useClient(t, { host, port, tls: { ca } }).say({ sentence: "on" })).sentence, "on");
  });
});

describe("the migrate header", { timeout }, () => {
  test("comes before TLS, and the server takes clients with and without it", async (t) => {
    const { server, failures } = useServer(t);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: certificates.server });
    for (const migrateHeader of [true, false]) {
      const echo = useClient(t, { host, port, tls: { ca }, migrateHeader });
      assert.equal((await echo.say({ sentence: `${migrateHeader}` })).sentence, `${migrateHeader}`);
    }
    // Whoever connects by himself has it inside.
    const socket = tls.connect({ host, port, ca });
    const transport = createDuplexTransport(socket, { migrateHeader: true });
    t.after(() => transport.close());
    assert.equal((await createEchoServiceClient(transport).say({ sentence: "inside" })).sentence, "inside");
    assert.deepEqual(failures, []);
  });

  test("is the first thing on the connection, and the handshake waits for nothing", async (t) => {
    const received: Buffer[] = [];
    const port = await useForeignServer(
      t,
      createServer((socket) => {
        socket.on("data", (data) => {
          received.push(data);
          if (Buffer.concat(received).length > 8) {
            socket.resetAndDestroy();
          }
        });
      }),
    );
    const echo = useClient(t, { host: "127.0.0.1", port, tls: { ca }, migrateHeader: true });
    await assert.rejects(echo.say({}), {
      code: Code.Unavailable,
      notStarted: true,
      message: /ECONNRESET|disconnected/,
    });
    const bytes = Buffer.concat(received);
    assert.equal(bytes.subarray(0, 8).toString(), "DRPC!!!1");
    assert.equal(bytes[8], 22, "a handshake of TLS follows");
  });

  test("arrives in pieces, with the handshake behind it", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: certificates.server });
    const raw = await useForeignClient(t, port);
    raw.setNoDelay();
    for (const piece of ["D", "RPC!", "!!1"]) {
      raw.write(piece);
    }
    const socket = tls.connect({ socket: raw, ca, servername: host });
    const transport = createDuplexTransport(socket);
    t.after(() => transport.close());
    assert.equal((await createEchoServiceClient(transport).say({ sentence: "whole" })).sentence, "whole");
  });

  test("without anything behind it is dropped when handshakeTimeoutMs is over, and its sender may leave before", async (t) => {
    const { server, nextFailure } = useServer(t, { handshakeTimeoutMs: 50 });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: certificates.server });
    for (const beginning of ["DRPC", "DRPC!!!1"]) {
      const socket = await useForeignClient(t, port);
      socket.resume();
      socket.write(beginning);
      await once(socket, "close");
      assert.match((await nextFailure()).error.message, /the TLS handshake with \S+:\d+ failed: TLS handshake timeout/);
    }
    (await useForeignClient(t, port)).end("DRPC");
    await server.close({ drainMs: 0 });
  });
});

describe("time", { timeout }, () => {
  test("a server that never completes TLS fails the call when connectTimeoutMs is over", async (t) => {
    const port = await useForeignServer(t, createServer());
    const error = {
      code: Code.Unavailable,
      notStarted: true,
      rawMessage: `/echo.v1.EchoService/Say: cannot connect to 127.0.0.1:${port}: no answer within connectTimeoutMs, 50 ms`,
    };
    await assert.rejects(useClient(t, { host: "127.0.0.1", port, tls: { ca }, connectTimeoutMs: 50 }).say({}), error);
  });

  test("a client that never completes TLS is dropped when handshakeTimeoutMs is over", async (t) => {
    const { server, nextFailure } = useServer(t, { handshakeTimeoutMs: 50 });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: certificates.server });
    const socket = await useForeignClient(t, port);
    const address = `127.0.0.1:${socket.localPort}`;
    socket.resume();
    await once(socket, "close");
    const { error, peer } = await nextFailure();
    assert.match(error.message, new RegExp(`the TLS handshake with ${address} failed: TLS handshake timeout`));
    assert.equal(peer.address, address);
  });

  test("a call that is canceled while it waits for the connection never starts", async (t) => {
    const port = await useForeignServer(t, createServer());
    const echo = useClient(t, { host: "127.0.0.1", port, tls: { ca }, connectTimeoutMs: 500 });
    await assert.rejects(echo.say({}, { timeoutMs: 20 }), { code: Code.DeadlineExceeded, notStarted: true });
  });
});

async function secured(
  t: TestContext,
  security: ListenSecurity = { tls: certificates.server },
): Promise<ServerInUse & { readonly port: number }> {
  const used = useServer(t);
  const { port } = await used.server.listen({ host: "127.0.0.1", port: 0, ...security });
  return { ...used, port };
}
