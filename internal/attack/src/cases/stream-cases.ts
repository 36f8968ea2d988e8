// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { encodeMetadataPayload, Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import type { Field } from "../harness/field.js";
import { echoMessage, frame, invoke, joinBytes, unaryCall } from "../harness/frames.js";
import type { FloodEnd, RawConnection } from "../harness/raw-connection.js";
import { assertThrottled } from "../harness/throttling.js";
import { behaviourKey } from "../harness/victim-handler.js";
import { tight } from "./tight.js";

const stuck = { [behaviourKey]: "ignores its signal" };
const obedient = { [behaviourKey]: "waits for its signal" };
const batch = 50;

/** What a server does with a flood. */
const endings: Readonly<Record<FloodEnd, string>> = {
  sent: "the server takes it all",
  blocked: "the server stops reading",
  ended: "the connection is ended",
};

/** Streams that are begun, ended and refused without end. */
export const streamCases: readonly AttackCase[] = [
  {
    name: "metadata-without-invoke",
    attack: 6,
    what: "calls that are never announced in full: metadata without an Invoke",
    victim: tight,
    anyServer: true,
    run: (field) =>
      halfOpen(field, (stream) => frame(Kind.InvokeMetadata, stream, 1, encodeMetadataPayload([["key", "value"]]))),
  },
  {
    name: "invoke-never-done",
    attack: 6,
    what: "calls that are never announced in full: a path without an end",
    victim: tight,
    anyServer: true,
    run: (field) => halfOpen(field, (stream) => frame(Kind.Invoke, stream, 1, "/a.B/", { done: false })),
  },
  {
    name: "rapid-reset",
    attack: 7,
    what: "100,000 calls that are canceled at once, of handlers that ignore their signal",
    async run(field) {
      const connection = await field.connect();
      await reset(field, connection, stuck);
      const { started, mostRunning } = await field.victim.journal();
      assert.ok(mostRunning <= 256, `${mostRunning} handlers ran at once, the limit maxConcurrentStreams is 256`);
      await field.victim.release();
      await field.untilNoted("all handlers have settled", (journal) => journal.settled === journal.started);
      return `${started} handlers ran, ${connection.count(Kind.Error)} calls were refused`;
    },
  },
  {
    name: "rapid-reset-throttled",
    attack: 7,
    what: "the same, of handlers that stop when they are told",
    victim: tight,
    async run(field) {
      const connection = await field.connect();
      const start = performance.now();
      const end = await reset(field, connection, obedient);
      const { started } = await field.victim.journal();
      assertThrottled("ran a handler that was canceled", started, end, performance.now() - start);
      return `${started} handlers ran`;
    },
  },
  {
    name: "refusal-flood",
    attack: 8,
    what: "calls above maxConcurrentStreams, by a peer that never reads the refusals",
    anyServer: true,
    async run(field) {
      const connection = await field.connect();
      connection.pause();
      const path = `/a.B/${"c".repeat(200)}`;
      await connection.flood(batches(256, (id) => invoke(id, field.paths.bidi)));
      const end = await connection.flood(batches(field.times(600_000, 80_000), (id) => invoke(id + 256, path)));
      if (end === "sent" && field.inside) {
        // Who does not read does not see the end either.
        await field.untilNoted("the connection is ended", ({ connections }) => connections === 1, 3_000);
        return "the connection is ended";
      }
      return endings[end];
    },
  },
  {
    name: "server-made-errors",
    attack: 9,
    what: "100,000 each of requests that are no protobuf, unknown methods, and calls without a request",
    anyServer: true,
    async run(field) {
      const connection = await field.connect();
      const end = await floodErrors(field, connection);
      return `${connection.count(Kind.Error)} errors; ${endings[end]}`;
    },
  },
  {
    name: "server-made-errors-throttled",
    attack: 9,
    what: "the same, counted",
    victim: tight,
    async run(field) {
      const connection = await field.connect();
      const start = performance.now();
      const end = await floodErrors(field, connection);
      const errors = connection.count(Kind.Error);
      assertThrottled("answered with an error", errors, end, performance.now() - start);
      return `${errors} errors`;
    },
  },
  {
    name: "refusals-throttled",
    attack: 8,
    what: "calls above maxConcurrentStreams, by a peer that reads the refusals",
    victim: tight,
    async run(field) {
      const connection = await field.connect();
      await connection.flood(batches(256, (id) => invoke(id, field.paths.bidi)));
      const start = performance.now();
      const count = field.times(300_000, 6_000);
      const sent = await connection.flood(batches(count, (id) => invoke(id + 256, field.paths.bidi)));
      const end = await answered(field, connection, count + 257, sent);
      const refusals = connection.count(Kind.Error);
      assertThrottled("refused a call", refusals, end, performance.now() - start);
      return `${refusals} refusals`;
    },
  },
  {
    name: "random-method-names",
    attack: 10,
    what: "1,000,000 calls of methods with random names: nothing is kept of them",
    anyServer: true,
    async run(field) {
      const before = field.inside ? (await field.victim.held()).heapMiB : 0;
      let made = 0;
      let connections = 0;
      const count = field.times(1_000_000, 20_000);
      const most = field.times(200, 5);
      for (; made < count && connections < most; connections++) {
        const connection = await field.connect();
        const calls = batches(count - made, (id) => {
          made++;
          return invoke(id, `/${randomBytes(24).toString("hex")}/Call`);
        });
        await connection.flood(calls, 5_000);
        connection.socket.destroy();
      }
      if (field.inside) {
        const after = (await field.victim.held()).heapMiB;
        assert.ok(after <= before + 8, `the server holds ${(after - before).toFixed()} MiB more than before`);
      }
      return `${made} calls on ${connections} connection${connections === 1 ? "" : "s"}`;
    },
  },
];

/** Begins calls and never announces them in full: first as many as time out, then as many as are refused. */
async function halfOpen(field: Field, begin: (stream: number) => Uint8Array): Promise<string> {
  const connection = await field.connect();
  connection.write(...batches(300, begin));
  if (field.inside) {
    await connection.until("all are answered", () => connection.count(Kind.Error) >= 300);
    assert.deepEqual(
      [...connection.errorTexts].sort(([, a], [, b]) => a - b),
      [
        [
          "too many concurrent streams: the limit maxConcurrentStreams is N: raise it on the server, or make fewer calls at once",
          44,
        ],
        ["the call was not announced in full within invokeTimeoutMs, N ms", 256],
      ],
    );
    await connection.settled(field.paths.unary, 301);
  }
  const end = await connection.flood(batches(field.times(100_000, 5_000), (id) => begin(id + 301)));
  if (!field.inside) {
    return `${connection.count(Kind.Error)} errors; ${endings[end]}`;
  }
  return `256 time out, the rest is refused${end === "ended" ? ", then the connection is ended" : ""}`;
}

async function reset(
  field: Field,
  connection: RawConnection,
  metadata: Readonly<Record<string, string>>,
): Promise<FloodEnd> {
  const request = echoMessage("x");
  const call = (id: number): Uint8Array =>
    joinBytes([
      invoke(id, field.paths.unary, metadata),
      frame(Kind.Message, id, 3, request),
      frame(Kind.Cancel, id, 4),
    ]);
  const count = field.times(100_000, 5_000);
  return answered(field, connection, count + 1, await connection.flood(batches(count, call), 5_000));
}

/** Waits until the server has answered a flood, with a call of the next stream id. */
async function answered(field: Field, connection: RawConnection, next: number, end: FloodEnd): Promise<FloodEnd> {
  if (end === "sent") {
    await connection.settled(field.paths.unary, next).catch(() => undefined);
  }
  return connection.isEnded ? "ended" : end;
}

async function floodErrors(field: Field, connection: RawConnection): Promise<FloodEnd> {
  const { unary } = field.paths;
  const garbage = Uint8Array.of(0xff, 0xff, 0xff);
  const count = field.times(300_000, 6_000);
  const call = (id: number): Uint8Array => {
    switch (id % 3) {
      case 0:
        return unaryCall(id, unary, garbage);
      case 1:
        return unaryCall(id, "/no.Such/Method");
      default:
        return joinBytes([invoke(id, unary), frame(Kind.CloseSend, id, 2)]);
    }
  };
  return answered(field, connection, count + 1, await connection.flood(batches(count, call), 5_000));
}

/** Builds something for each of `count` stream ids, from 1, some at a time. */
function* batches(count: number, build: (stream: number) => Uint8Array): Generator<Uint8Array> {
  for (let from = 1; from <= count; from += batch) {
    const size = Math.min(batch, count - from + 1);
    yield joinBytes(Array.from({ length: size }, (_, index) => build(from + index)));
  }
}
