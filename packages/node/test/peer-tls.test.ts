// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import net from "node:net";
import { describe, test } from "node:test";
import { Code, DrpcError, type Gate, type PeerInfo } from "@ts-drpc/core";
import { certificates, EchoHandler, EchoService as echo } from "@ts-drpc-internal/fixtures";
import { createConnectionListener, type PeerTls, peerTls, sharePort } from "../src/index.js";
import { useClient, useServer } from "./harness.js";

const ca = certificates.authority;
const host = "localhost";
const asks = { ...certificates.server, ca, requestCert: true, rejectUnauthorized: false };

describe("what TLS tells a gate of its caller", () => {
  test("is the verified certificate, the protocol agreed on, and the name that the server was called by", async (t) => {
    const told: (PeerTls | undefined)[] = [];
    const { server } = useServer(t, { gate: ({ peer }) => void told.push(peerTls(peer)) });
    const security = { ...asks, ALPNProtocols: ["drpc", "h2"] };
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: security });
    const dial = { ca, ALPNProtocols: ["drpc"] };
    await useClient(t, { host, port, tls: { ...dial, ...certificates.client } }).say({});
    await useClient(t, { host, port, tls: { ...dial, ...certificates.stranger } }).say({});
    await useClient(t, { host, port, tls: { ca } }).say({});
    const [alice, stranger, nobody] = told;
    assert.deepEqual(
      [alice?.authorized, alice?.authorizationError, alice?.alpnProtocol, alice?.servername],
      [true, undefined, "drpc", host],
    );
    assert.equal(alice?.certificate?.subject.CN, "alice");
    assert.equal(stranger?.authorized, false);
    assert.match(String(stranger?.authorizationError), /SELF_SIGNED|VERIFY|CERT/);
    assert.ok(stranger?.certificate !== undefined, "it is there to be looked at, though nobody vouches for it");
    assert.deepEqual([nobody?.authorized, nobody?.certificate, nobody?.alpnProtocol], [false, undefined, undefined]);
  });

  test("lets it refuse whom it does not know", async (t) => {
    const gate: Gate = ({ peer }) => {
      const tls = peerTls(peer);
      if (tls?.authorized !== true || tls.certificate?.subject.CN !== "alice") {
        throw new DrpcError("this service is for alice only", Code.PermissionDenied);
      }
    };
    const { server } = useServer(t, { gate });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: asks });
    await useClient(t, { host, port, tls: { ca, ...certificates.client } }).say({});
    for (const identity of [{}, certificates.stranger]) {
      await assert.rejects(useClient(t, { host, port, tls: { ca, ...identity } }).say({}), {
        code: Code.PermissionDenied,
      });
    }
  });

  test("is there on a shared port, and behind TLS of the user's own", async (t) => {
    const told: (PeerTls | undefined)[] = [];
    const listener = createConnectionListener({
      routes: (router) => router.service(echo, new EchoHandler()),
      gate: ({ peer }) => void told.push(peerTls(peer)),
    });
    t.after(() => listener.close({ drainMs: 0 }));
    const server = net.createServer(sharePort({ drpc: listener.accept, tls: asks }));
    t.after(() => server.close());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
    });
    const security = { ca, ...certificates.client, ALPNProtocols: ["drpc"] };
    await useClient(t, { host, port, tls: security }).say({});
    assert.deepEqual([told[0]?.authorized, told[0]?.alpnProtocol], [true, "drpc"]);
  });

  test("is still known when the connection is gone", async (t) => {
    let peer: PeerInfo | undefined;
    const { server } = useServer(t, {
      gate: (context) => {
        peer = context.peer;
      },
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls: asks });
    await useClient(t, { host, port, tls: { ca, ...certificates.client } }).say({});
    await server.close();
    assert.equal(peer && peerTls(peer)?.certificate?.subject.CN, "alice");
  });

  test("is nothing without TLS, and of a peer that is none", async (t) => {
    const told: unknown[] = [];
    const { server } = useServer(t, { gate: ({ peer }) => void told.push(peerTls(peer)) });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    await useClient(t, { port }).say({});
    assert.deepEqual(told, [undefined]);
    assert.equal(peerTls({ address: "somewhere" }), undefined);
  });
});
