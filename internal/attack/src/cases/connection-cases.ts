// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Kind } from "@ts-drpc/core/wire";
import { certificates } from "@ts-drpc-internal/fixtures";
import type { AttackCase } from "../attack-case.js";
import type { Field } from "../harness/field.js";
import { echoMessage, frame, invoke, unaryCall } from "../harness/frames.js";
import { GoodClient } from "../harness/good-client.js";
import { until } from "../harness/until.js";
import { behaviourKey } from "../harness/victim-handler.js";
import { givenUpMs, tight } from "./tight.js";

const waiting = { [behaviourKey]: "waits for its signal" };

/** Connections that say nothing, too little, too slowly, end at a bad moment, or are too many. */
export const connectionCases: readonly AttackCase[] = [
  {
    name: "silent-connections",
    attack: 16,
    what: "connections on which nothing comes",
    anyServer: true,
    victim: tight,
    run: (field) => givenUp(field, undefined),
  },
  {
    name: "half-prefix",
    attack: 16,
    what: "connections on which half of DRPC!!!1 comes",
    anyServer: true,
    victim: tight,
    run: (field) => givenUp(field, Buffer.from("DRPC")),
  },
  {
    name: "cut-header",
    attack: 16,
    what: "connections on which half of a frame's header comes",
    anyServer: true,
    victim: tight,
    run: (field) => givenUp(field, unaryCall(1, field.paths.unary).subarray(0, 2)),
  },
  {
    name: "trickled-message",
    attack: 16,
    what: "a request that comes a byte at a time and never ends",
    victim: tight,
    async run(field) {
      const connections = await field.connectMany(field.times(100, 10));
      const request = echoMessage("x".repeat(100));
      for (const connection of connections) {
        connection.write(
          invoke(1, field.paths.unary),
          frame(Kind.Message, 1, 2, undefined, { announces: request.length }),
        );
      }
      const start = performance.now();
      for (const byte of request.subarray(0, -1)) {
        for (const connection of connections) {
          connection.write(Uint8Array.of(byte));
        }
        await new Promise((resolve) => setTimeout(resolve, givenUpMs / request.length));
        if (connections.every(({ isEnded, errors }) => isEnded || errors.size > 0)) {
          return `given up after ${((performance.now() - start) / 1_000).toFixed(1)} s`;
        }
      }
      assert.fail("a request may take for ever to come");
    },
  },
  {
    name: "tls-handshake-unfinished",
    attack: 16,
    what: "connections to a TLS port on which nothing comes, or half of a handshake",
    victim: tight,
    async run(field) {
      const port = field.victim.tlsPort;
      const connections = await Promise.all(
        Array.from({ length: field.times(1_000, 50) }, async (_, index) => {
          const connection = await field.connect(port);
          // The head of a handshake record that announces 512 bytes.
          connection.write(index % 2 === 0 ? new Uint8Array(0) : Uint8Array.of(0x16, 3, 1, 2, 0, 1));
          return connection;
        }),
      );
      await until("all are closed", () => connections.every(({ isEnded }) => isEnded), { timeoutMs: 5_000 });
      const socket = await field.connectTls({ ca: certificates.authority });
      assert.ok(socket.authorized);
      return "closed after handshakeTimeoutMs";
    },
  },
  {
    name: "connection-flood",
    attack: 17,
    what: "10,000 connections from one address",
    anyServer: true,
    // Which are not closed because nothing comes on them, however long it takes to make them all.
    victim: { limits: { maxConnections: 500 } },
    async run(field) {
      const connections = await field.connectMany(field.times(10_000, 1_000));
      const open = (): number => connections.filter(({ isEnded }) => !isEnded).length;
      if (!field.inside) {
        await field.watch(() => open() < connections.length);
        return `${open()} are open`;
      }
      await until("the others are closed", () => open() <= 500);
      const { connections: served, connectionErrors } = await field.victim.journal();
      assert.ok(served <= 500, `${served} connections are served`);
      assert.match(Object.keys(connectionErrors).join("\n"), /maxConnections/);
      return `${open()} are open, as maxConnections says, the others were closed at once`;
    },
  },
  {
    name: "accept-errors",
    attack: 17,
    what: "as many connections as the server may have files open, and more",
    maxOpenFiles: 150,
    async run(field) {
      const connections = await field.connectMany(field.times(1_000, 300));
      const { connections: served } = await field.victim.journal();
      assert.ok(served < 150, `${served} connections are served`);
      for (const { socket } of connections) {
        socket.destroy();
      }
      await field.untilNoted("the connections are gone", (journal) => journal.connections <= 1);
      await (await field.connect()).settled(field.paths.unary, 1);
      return "those that are open are served, and new ones once there is room";
    },
  },
  {
    name: "reset-mid-frame",
    attack: 18,
    what: "connections that are reset in the middle of a frame, with calls under way",
    anyServer: true,
    async run(field) {
      return leave(field, (connection) => {
        connection.write(frame(Kind.Message, 1, 3, "half", { announces: 100 }));
        setImmediate(() => connection.reset());
      });
    },
  },
  {
    name: "half-close",
    attack: 18,
    what: "connections whose peer ends its side and goes on to read",
    anyServer: true,
    run: (field) => leave(field, (connection) => connection.socket.end()),
  },
  {
    name: "gone-while-written-to",
    attack: 18,
    what: "connections that are reset while endless responses are written to them",
    async run(field) {
      const count = field.times(200, 20);
      const connections = await field.connectMany(count);
      for (const connection of connections) {
        connection.write(
          invoke(1, field.paths.serverStreaming),
          frame(
            Kind.Message,
            1,
            2,
            Buffer.concat([echoMessage("x".repeat(1_000)), Uint8Array.of(0x10, 0xff, 0xff, 0x7f)]),
          ),
        );
        await connection.until("responses", () => connection.receivedBytes > 10_000);
        connection.reset();
      }
      await field.untilNoted("all handlers have settled", ({ settled }) => settled === count);
      return "the handlers are stopped";
    },
  },
  {
    name: "gone-while-not-read",
    attack: 18,
    what: "connections that are reset while the server does not read, as the handler does not",
    victim: tight,
    async run(field) {
      const connections = await field.connectMany(10);
      for (const connection of connections) {
        connection.write(invoke(1, field.paths.bidi, waiting));
      }
      await field.untilNoted("all handlers have begun", ({ started }) => started === connections.length);
      for (const connection of connections) {
        const messages = Array.from({ length: 100 }, (_, index) =>
          frame(Kind.Message, 1, 3 + index, new Uint8Array(65_536)),
        );
        await connection.flood(messages, 200);
        connection.reset();
      }
      const { settled } = await field.untilNoted(
        "all handlers have settled",
        (journal) => journal.settled === connections.length,
        givenUpMs,
      );
      return `${settled} handlers learn of it`;
    },
  },
  {
    name: "frozen-peer",
    attack: 18,
    what: "a client whose process is stopped as by Ctrl-Z, with a call under way",
    victim: tight,
    async run(field) {
      await using frozen = new GoodClient();
      await frozen.start(field.target);
      const { connections } = await field.victim.journal();
      frozen.freeze();
      await field.untilNoted("its connection is gone", (journal) => journal.connections < connections, givenUpMs);
      return "given up";
    },
  },
  {
    name: "redial-elsewhere",
    attack: 19,
    what: "a server is replaced by one with a certificate that nobody trusts",
    async run(field) {
      let bytes = 0;
      const { stranger } = certificates;
      const server = await field.hostileServer(
        ({ socket }) => socket.on("data", (chunk: Buffer) => (bytes += chunk.length)),
        { security: stranger },
      );
      const before = await field.victim.call({ name: "say", port: field.victim.tlsPort, tls: true });
      assert.equal(before, "ok");
      const after = await field.victim.call({ name: "say", port: server.port, tls: true });
      assert.match(after, /^unavailable: .*127\.0\.0\.1/);
      assert.equal(bytes, 0, "the stranger was sent something");
      return after;
    },
  },
];

/** Opens connections, and asserts that the server gives them up. */
async function givenUp(field: Field, bytes: Uint8Array | undefined): Promise<string> {
  const connections = await field.connectMany(field.times(400, 50));
  const start = performance.now();
  for (const connection of connections) {
    if (bytes !== undefined) {
      connection.write(bytes);
    }
  }
  const allEnded = (): boolean => connections.every(({ isEnded }) => isEnded);
  if (!field.inside) {
    await field.watch(allEnded);
    return `${connections.filter(({ isEnded }) => isEnded).length} of ${connections.length} are closed within 3 s`;
  }
  await until("the connections are given up", allEnded, { timeoutMs: givenUpMs });
  return `closed after ${((performance.now() - start) / 1_000).toFixed(1)} s`;
}

/** Leaves calls under way, and asserts that their handlers learn of it. */
async function leave(field: Field, go: (connection: Awaited<ReturnType<Field["connect"]>>) => void): Promise<string> {
  const count = field.times(500, 50);
  const connections = await field.connectMany(count);
  for (const connection of connections) {
    connection.write(invoke(1, field.paths.bidi, waiting));
  }
  if (field.inside) {
    await field.untilNoted("all handlers have begun", ({ started }) => started === count);
  }
  for (const connection of connections) {
    go(connection);
  }
  if (!field.inside) {
    await field.watch(() => connections.every(({ isEnded }) => isEnded));
    return `${connections.filter(({ isEnded }) => isEnded).length} of ${count} are ended`;
  }
  await field.untilNoted("all handlers have settled", ({ settled }) => settled === count);
  return "all handlers learn of it";
}
