// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import { assertFates, type FateRow } from "../harness/fate.js";
import { echoMessage, frame, invoke, joinBytes, longVarint, rawFrame, unaryCall } from "../harness/frames.js";
import { behaviourKey } from "../harness/victim-handler.js";

const mebibyte = 1024 * 1024;
// A handler that never reads, until the case is over.
const never = { [behaviourKey]: "ignores its signal" };

/** Frames that lie about their size, never end, or are not frames. */
export const framingCases: readonly AttackCase[] = [
  {
    name: "announced-length",
    attack: 1,
    what: "a message of 5 MiB, and one of 4 MiB, announced on many connections and never sent",
    bound: { heapMiB: 64, rssMiB: 224 },
    async run(field) {
      const connections = await field.connectMany(field.times(200, 50));
      const announces = [5 * mebibyte, 4 * mebibyte];
      for (const [index, connection] of connections.entries()) {
        const size = announces[index % 2] as number;
        connection.write(invoke(1, field.paths.bidi), frame(Kind.Message, 1, 2, undefined, { announces: size }));
      }
      for (const connection of connections.filter((_, index) => index % 2 === 0)) {
        const { code, text } = await connection.errorOn(1);
        assert.equal(code, 8n);
        assert.match(text, /maxMessageBytes is 4194304/);
      }
      const [first] = connections;
      assert.ok(first !== undefined);
      await first.flood([new Uint8Array(5 * mebibyte)], 10_000);
      await first.settled(field.paths.unary, 3);
      return "refused from the header; the connection goes on behind the data";
    },
  },
  {
    name: "absurd-length",
    attack: 1,
    what: "frames of 2^63 bytes, and of more than the connection may buffer",
    anyServer: true,
    run: (field) =>
      assertFates(field, [
        ...[2n ** 63n, 2n ** 53n, 2n ** 53n - 1n, 17n * BigInt(mebibyte)].map(
          (length): FateRow => ({
            sends: `a Message of ${length} bytes`,
            bytes: joinBytes([
              invoke(1, field.paths.bidi),
              rawFrame(Kind.Message, Uint8Array.of(1, 2), longVarint(length)),
            ]),
            fate: "ends",
          }),
        ),
      ]),
  },
  {
    name: "endless-message",
    attack: 2,
    what: "a message whose frames never end, beside a stream that behaves",
    anyServer: true,
    async run(field) {
      const connection = await field.connect();
      connection.write(invoke(1, field.paths.bidi));
      const part = frame(Kind.Message, 1, 2, new Uint8Array(65_536), { done: false });
      const frames = field.times(1_000, 100);
      if (!field.inside) {
        // A server that has one call at a time answers no other.
        const sent = await connection.flood(new Array<Uint8Array>(frames).fill(part), 3_000);
        const ended = sent === "ended" || (sent === "sent" && (await field.watch(() => connection.isEnded)));
        return ended
          ? "the connection is ended"
          : { sent: "the server takes it all", blocked: "the server stops reading" }[sent];
      }
      connection.write(invoke(2, field.paths.bidi));
      await connection.echoOn(2, 2, echoMessage("before"));
      const end = await connection.flood(new Array<Uint8Array>(frames).fill(part), 10_000);
      assert.equal(end, "sent");
      assert.match((await connection.errorOn(1)).text, /at least 4259840 bytes, the limit maxMessageBytes/);
      await connection.echoOn(2, 3, echoMessage("after"));
      return "the stream fails at the limit, the other goes on";
    },
  },
  {
    name: "endless-messages",
    attack: 2,
    what: "the same on 1,000 streams at once",
    async run(field) {
      const connection = await field.connect();
      const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
      await connection.flood(ids.map((id) => invoke(id, field.paths.bidi)));
      const data = new Uint8Array(16_384);
      for (let round = 0; round < field.times(40, 8); round++) {
        const parts = ids.map((id) => frame(Kind.Message, id, 2, data, { done: false }));
        assert.notEqual(await connection.flood(parts, 10_000), "blocked");
      }
      if (connection.isEnded) {
        return "the connection is ended";
      }
      await connection.settled(field.paths.unary, 2_000);
      const texts = [...connection.errorTexts].map(([text]) => text).join("\n");
      assert.match(texts, /maxBufferedBytes/);
      assert.match(texts, /maxConcurrentStreams/);
      return "256 are taken, and fail when the connection's budget is spent";
    },
  },
  {
    name: "empty-fragments",
    attack: 3,
    what: "1,000,000 empty frames, and as many of one byte, of one message",
    anyServer: true,
    async run(field) {
      const connection = await field.connect();
      connection.write(invoke(1, field.paths.bidi));
      const count = field.times(1_000_000, 20_000);
      const perWrite = 1_000;
      for (const [message, data] of [
        [2, new Uint8Array(0)],
        [3, Uint8Array.of(0)],
      ] as const) {
        // Field 15, 1,000,000 bytes or so, which the service does not know.
        const start = frame(
          Kind.Message,
          1,
          message,
          joinBytes([Uint8Array.of(0x7a), longVarint(BigInt(data.length * count))]),
          { done: false },
        );
        const parts = joinBytes(
          new Array<Uint8Array>(perWrite).fill(frame(Kind.Message, 1, message, data, { done: false })),
        );
        await connection.flood([start, ...new Array<Uint8Array>(count / perWrite).fill(parts)], 10_000);
        await connection.echoOn(1, message, new Uint8Array(0));
      }
      return "the message is put together";
    },
  },
  {
    name: "byte-by-byte",
    attack: 3,
    what: "calls whose bytes come one at a time",
    anyServer: true,
    async run(field) {
      const connections = await field.connectMany(field.times(50, 10));
      const bytes = unaryCall(1, field.paths.unary, echoMessage("x"), { key: "value" });
      for (const byte of bytes) {
        for (const connection of connections) {
          connection.write(Uint8Array.of(byte));
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const connection of connections) {
        await connection.until("an answer", () => connection.messages.has(1) || connection.errors.has(1));
      }
      return "answered";
    },
  },
  {
    name: "empty-messages",
    attack: 3,
    what: "1,000,000 empty messages, and as many of one byte, to handlers that never read",
    async run(field) {
      for (const [data, alone] of [
        [new Uint8Array(0), true],
        [new Uint8Array(0), false],
        [Uint8Array.of(0), false],
      ] as const) {
        const connection = await field.connect();
        connection.write(invoke(1, field.paths.bidi, never));
        if (!alone) {
          connection.write(invoke(2, field.paths.bidi, never));
        }
        const count = field.times(1_000_000, 120_000);
        function* messages(): Generator<Uint8Array> {
          for (let from = 0; from < count; from += 500) {
            yield joinBytes(Array.from({ length: 500 }, (_, index) => frame(Kind.Message, 1, 3 + from + index, data)));
          }
        }
        const end = await connection.flood(messages(), 1_000);
        assert.ok(
          alone ? end !== "ended" : /windowBytes/.test((await connection.errorOn(1)).text),
          `the server took ${count} messages that nobody reads`,
        );
      }
      await field.victim.release();
      return "the only stream waits, one of many fails at its window";
    },
  },
  {
    name: "malformed-headers",
    attack: 4,
    what: "numbers that are too long or too large, kinds that do not exist, stream 0",
    anyServer: true,
    run: (field) => assertFates(field, malformedHeaders(field.paths.unary)),
  },
];

function malformedHeaders(path: string): FateRow[] {
  const name = Buffer.from(path);
  const length = Uint8Array.of(name.length);
  const one = Uint8Array.of(1);
  const call = (stream: Uint8Array, message: Uint8Array): Uint8Array =>
    rawFrame(Kind.Invoke, stream, message, length, name);
  // From 55 to 62 are those of ts-drpc peers.
  const kinds = [0, ...Array.from({ length: 46 }, (_, index) => index + 9), 63];
  return [
    { sends: "a stream id of 11 bytes", bytes: call(longVarint(1n, 11), one), fate: "ends" },
    { sends: "a length of 11 bytes", bytes: rawFrame(Kind.Invoke, one, one, longVarint(1n, 11)), fate: "ends" },
    { sends: "a stream id of 10 bytes that is 1", bytes: call(longVarint(1n, 10), one), fate: "lives" },
    { sends: "stream id 0", bytes: call(Uint8Array.of(0), one), fate: "ends" },
    { sends: "message id 0", bytes: call(one, Uint8Array.of(0)), fate: "ends" },
    { sends: "stream id 2^53 - 1", bytes: call(longVarint(2n ** 53n - 1n), one), fate: "lives" },
    { sends: "message id 2^53 - 1", bytes: call(one, longVarint(2n ** 53n - 1n)), fate: "lives" },
    ...[2n ** 53n, 2n ** 63n, 2n ** 64n - 1n].flatMap((id): FateRow[] => [
      { sends: `stream id ${id}`, bytes: call(longVarint(id), one), fate: "ends" },
      { sends: `message id ${id}`, bytes: call(one, longVarint(id)), fate: "ends" },
    ]),
    ...kinds.flatMap((kind): FateRow[] => [
      { sends: `kind ${kind}`, bytes: frame(kind, 1, 1), fate: "ends" },
      { sends: `kind ${kind} with the control flag`, bytes: frame(kind, 1, 1, "x", { control: true }), fate: "lives" },
    ]),
    { sends: "another protocol", bytes: Buffer.from("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), fate: "ends" },
  ];
}
