// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import type { Field } from "../harness/field.js";
import { announcement, echoMessage, frame, invoke, joinBytes, longVarint, settingsBody } from "../harness/frames.js";
import type { FloodEnd, RawConnection } from "../harness/raw-connection.js";
import { until } from "../harness/until.js";
import { behaviourKey } from "../harness/victim-handler.js";
import { givenUpMs, tight } from "./tight.js";

const mebibyte = 1024 * 1024;
const stuck = { [behaviourKey]: "ignores its signal" };
const helloStream = 1;

/** Peers that send more than is read, read less than is sent, or lie about credit. */
export const flowCases: readonly AttackCase[] = [
  {
    name: "full-windows",
    attack: 11,
    what: "250 streams whose windows are filled, towards handlers that never read",
    run: async (field) => {
      const connection = await announced(field, mebibyte);
      return fillWindows(field, connection);
    },
  },
  {
    name: "full-windows-of-a-stranger",
    attack: 11,
    what: "the same by a peer that has no windows",
    run: async (field) => fillWindows(field, await field.connect()),
  },
  {
    name: "never-reads",
    attack: 12,
    what: "50 streams of endless responses, 20 times over, to peers that never read",
    async run(field) {
      const connections = await field.connectMany(field.times(20, 5));
      await Promise.all(
        connections.map((connection) => {
          connection.pause();
          return askForEver(field, connection, 50);
        }),
      );
      await sleep(field.times(5_000, 700));
      return "sending waits";
    },
  },
  {
    name: "stalled-reader",
    attack: 12,
    what: "a peer that reads nothing for long is given up",
    victim: tight,
    async run(field) {
      const connection = await field.connect();
      connection.pause();
      await askForEver(field, connection, 1);
      await field.untilNoted("the connection or the call is given up", ({ settled }) => settled > 0, givenUpMs);
      return "its calls end";
    },
  },
  {
    name: "window-updates",
    attack: 13,
    what: "grants that are 0, overflow, malformed, for no stream, or without their flags",
    async run(field) {
      const connection = await announced(field, 65_536);
      const most = longVarint(2n ** 64n - 1n);
      const grants = [
        frame(Kind.WindowUpdate, helloStream, 0, Uint8Array.of(0)),
        ...new Array<Uint8Array>(3).fill(frame(Kind.WindowUpdate, helloStream, 0, most)),
        frame(Kind.WindowUpdate, helloStream, 0),
        frame(Kind.WindowUpdate, helloStream, 0, Uint8Array.of(1, 1)),
        frame(Kind.WindowUpdate, helloStream, 0, new Uint8Array(300).fill(0xff)),
        frame(Kind.WindowUpdate, helloStream, 0, longVarint(1n, 11)),
        frame(Kind.WindowUpdate, helloStream, 0, Uint8Array.of(1), { done: false }),
        frame(Kind.WindowUpdate, helloStream, 0, Uint8Array.of(1), { control: false }),
        frame(Kind.WindowUpdate, 0, 0, Uint8Array.of(1)),
        frame(Kind.WindowUpdate, 99, 0, Uint8Array.of(1)),
      ];
      connection.write(...grants);
      await connection.echoOn(helloStream, 5, echoMessage("x"));
      const end = await repeat(field, connection, grants);
      if (end === "sent") {
        await connection.echoOn(helloStream, 6, echoMessage("x"));
      }
      return end === "sent" ? "ignored; the stream goes on" : "ignored, then the connection is ended";
    },
  },
  {
    name: "loans",
    attack: 13,
    what: "messages that are said to wait, and never come, and loans of credit that nobody asked for",
    async run(field) {
      const connection = await announced(field, 65_536);
      const most = longVarint(2n ** 64n - 1n);
      const costs = [Uint8Array.of(0), Uint8Array.of(1), longVarint(4_194_304n), most, new Uint8Array(11).fill(0xff)];
      const claims = [Kind.Blocked, Kind.Loan].flatMap((kind) => [
        ...costs.map((cost) => frame(kind, helloStream, 0, cost)),
        frame(kind, 0, 0, Uint8Array.of(1)),
        frame(kind, 99, 0, Uint8Array.of(1)),
        frame(kind, helloStream, 0, Uint8Array.of(1), { done: false }),
      ]);
      connection.write(...claims);
      await connection.echoOn(helloStream, 5, echoMessage("x"));
      const end = await repeat(field, connection, claims);
      assert.equal(end, "sent");
      await connection.echoOn(helloStream, 6, echoMessage("x"));
      const loans = connection.count(Kind.Loan);
      assert.ok(loans <= 3, `${loans} loans for three messages`);
      return "one loan for each message that comes, and the stream goes on";
    },
  },
  {
    name: "overrun",
    attack: 13,
    what: "a peer that knows of windows, and sends on without credit",
    async run(field) {
      const connection = await announced(field, mebibyte);
      connection.write(invoke(3, field.paths.bidi, stuck));
      const data = new Uint8Array(65_000);
      const messages = Array.from({ length: 200 }, (_, index) => frame(Kind.Message, 3, 3 + index, data));
      await connection.flood(messages, 10_000);
      assert.match((await connection.errorOn(3)).text, /windowBytes is 2097152/);
      await connection.echoOn(helloStream, 5, echoMessage("x"));
      return "its stream fails, the other goes on";
    },
  },
  {
    name: "withheld-credit",
    attack: 14,
    what: "a peer that grants nothing, then cancels: the handlers that wait for it wake up",
    async run(field) {
      const connection = await announced(field, 65_536);
      const ids = Array.from({ length: field.times(200, 50) }, (_, index) => index + 3);
      for (const id of ids) {
        connection.write(askRepeat(id, field.paths.serverStreaming));
      }
      await connection.until("each stream has used its credit", () =>
        ids.every((id) => (connection.messages.get(id) ?? 0) >= 60),
      );
      const before = connection.receivedBytes;
      await sleep(100);
      assert.ok(connection.receivedBytes - before < mebibyte, "the server sends on without credit");
      connection.write(...ids.map((id) => frame(Kind.Cancel, id, 5)));
      const { settled } = await field.untilNoted(
        "all handlers have settled",
        (journal) => journal.settled >= ids.length,
      );
      return `${settled} handlers settle`;
    },
  },
  {
    name: "compression-claims",
    attack: 15,
    what: "metadata that claims an unknown compression, or snappy, of bodies that claim 4 GiB",
    anyServer: true,
    async run(field) {
      const connection = await field.connect();
      for (const [index, name] of ["unknown", "snappy", "minlz", "gzip"].entries()) {
        const id = index + 1;
        connection.write(
          invoke(id, field.paths.unary, { "drpc-compression": name }),
          frame(Kind.Message, id, 3, joinBytes([longVarint(2n ** 32n - 1n), new Uint8Array(100)])),
          frame(Kind.CloseSend, id, 4),
        );
      }
      const answered = (id: number): boolean => connection.errors.has(id) || connection.messages.has(id);
      await connection.until("an answer to each", () => [1, 2, 3, 4].every(answered));
      return `${connection.errors.size} errors`;
    },
  },
];

/** Connects as a ts-drpc peer with windows of a size. Stream 1 stays open, and echoes. */
async function announced(field: Field, windowBytes: number): Promise<RawConnection> {
  const connection = await field.connect();
  connection.write(invoke(helloStream, field.paths.bidi, announcement(windowBytes)));
  await connection.until("the server's Settings", () => connection.count(Kind.Settings) > 0);
  connection.write(frame(Kind.Settings, helloStream, 3, settingsBody(windowBytes)));
  await connection.echoOn(helloStream, 4, echoMessage("x"));
  return connection;
}

/** Sends frames over and over: 100,000 times, or 5,000. */
function repeat(field: Field, connection: RawConnection, frames: readonly Uint8Array[]): Promise<FloodEnd> {
  const chunk = joinBytes(new Array<Uint8Array>(1_000).fill(joinBytes(frames)));
  return connection.flood(new Array<Uint8Array>(field.times(100, 5)).fill(chunk), 10_000);
}

async function fillWindows(field: Field, connection: RawConnection): Promise<string> {
  const ids = Array.from({ length: 250 }, (_, index) => index + 3);
  await connection.flood(ids.map((id) => invoke(id, field.paths.bidi, stuck)));
  const data = new Uint8Array(16_000);
  for (let message = 3; message < field.times(68, 12); message++) {
    await connection.flood(
      ids.map((id) => frame(Kind.Message, id, message, data)),
      10_000,
    );
  }
  await connection.settled(field.paths.unary, 1_000);
  const failed = connection.count(Kind.Error);
  assert.ok(failed > 0, "the server took more than maxBufferedBytes");
  return `${failed} streams fail, as the connection's budget is spent`;
}

async function askForEver(field: Field, connection: RawConnection, streams: number): Promise<void> {
  for (let id = 1; id <= streams; id++) {
    connection.write(askRepeat(id, field.paths.serverStreaming));
  }
  await until("the kernel takes the requests", () => connection.socket.writableLength === 0);
}

function askRepeat(id: number, path: string): Uint8Array {
  // -1 as a protobuf int32.
  const forEver = joinBytes([echoMessage("x".repeat(1_000)), Uint8Array.of(0x10), longVarint(2n ** 64n - 1n)]);
  return joinBytes([invoke(id, path), frame(Kind.Message, id, 2, forEver), frame(Kind.CloseSend, id, 3)]);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
