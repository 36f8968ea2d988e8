// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { encodeMetadataPayload, Kind, type MetadataEntries } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import { echoMessage, frame, invoke, joinBytes, longVarint, unaryCall } from "../harness/frames.js";
import type { RawConnection } from "../harness/raw-connection.js";
import { behaviourKey } from "../harness/victim-handler.js";

const mebibyte = 1024 * 1024;
const hostileKeys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", ""];

/** Metadata, names and messages that are too many, too large, too deep, or no text. */
export const contentCases: readonly AttackCase[] = [
  {
    name: "hostile-metadata",
    attack: 20,
    what: "100,000 keys, a value of 1 MiB, keys as __proto__, keys that repeat, bytes that are no UTF-8",
    async run(field) {
      const connection = await field.connect();
      const { unary } = field.paths;
      let id = 0;
      const call = async (body: Uint8Array): Promise<string> => {
        id++;
        for (let at = 0; at < body.length || at === 0; at += 65_536) {
          const part = body.subarray(at, at + 65_536);
          connection.write(frame(Kind.InvokeMetadata, id, 1, part, { done: at + 65_536 >= body.length }));
        }
        connection.write(
          frame(Kind.Invoke, id, 2, unary),
          frame(Kind.Message, id, 3, echoMessage("x")),
          frame(Kind.CloseSend, id, 4),
        );
        return answerOn(connection, id);
      };
      const keys = Array.from({ length: 100_000 }, (_, index) => [`key${index}`, ""] as const);
      assert.match(await call(encodeMetadataPayload(keys)), /maxMetadataBytes is 65536/);
      assert.match(await call(encodeMetadataPayload(keys.slice(0, 1_000))), /maxMetadataKeys is 128/);
      assert.match(await call(encodeMetadataPayload([["k", "v".repeat(mebibyte)]])), /maxMetadataBytes is 65536/);
      const odd: MetadataEntries = hostileKeys.flatMap((key) => [[key, "1"] as const, [key, "2"] as const]);
      assert.equal(await call(encodeMetadataPayload(odd)), "a message");
      const entry = Uint8Array.of(0x0a, 2, 0xff, 0xfe, 0x12, 2, 0xc3, 0x28);
      assert.equal(await call(joinBytes([Uint8Array.of(0x0a, entry.length), entry])), "a message");
      assert.equal(({} as Record<string, unknown>)["1"], undefined);
      return "refused at maxMetadataBytes and maxMetadataKeys; odd keys are keys like others";
    },
  },
  {
    name: "deep-nesting",
    attack: 21,
    what: "a request of groups in groups, 2,000,000 deep, and one of a field that never ends",
    async run(field) {
      const connection = await field.connect();
      const depth = field.times(2_000_000, 500_000);
      // Fields that the service does not know: each byte begins a group, number 15, within the one before.
      const bodies = [
        new Uint8Array(depth).fill(0x7b),
        joinBytes([new Uint8Array(depth).fill(0x7b), new Uint8Array(depth).fill(0x7c)]),
        joinBytes([Uint8Array.of(0x7a), longVarint(2n ** 63n)]),
        new Uint8Array(mebibyte).fill(0xff),
      ];
      const answers: string[] = [];
      for (const [index, body] of bodies.entries()) {
        await connection.flood([unaryCall(index + 1, field.paths.unary, body)], 10_000);
        answers.push(await answerOn(connection, index + 1));
      }
      await connection.settled(field.paths.unary, 100);
      assert.ok(
        answers.every((answer) => /could not be decoded|a message/.test(answer)),
        answers.join("\n"),
      );
      return answers[0] as string;
    },
  },
  {
    name: "long-method-name",
    attack: 21,
    what: "a method name of 4 MiB, one of 64 KiB, and ones that are no UTF-8 or no path",
    async run(field) {
      const connection = await field.connect();
      const names = [
        Buffer.from(`/${"x".repeat(65_000)}/y`),
        Uint8Array.of(0x2f, 0xff, 0xfe, 0xc3, 0x28),
        Buffer.from(""),
        Buffer.from("/__proto__/constructor"),
        Buffer.from("/echo.v1.EchoService/toString"),
        Buffer.from("/echo.v1.EchoService/say"),
        Buffer.from(`${field.paths.unary}\0`),
      ];
      for (const [index, name] of names.entries()) {
        connection.write(frame(Kind.Invoke, index + 1, 1, name));
        assert.match(await answerOn(connection, index + 1), /unknown rpc/);
      }
      connection.write(frame(Kind.Invoke, 50, 1, undefined, { announces: 4 * mebibyte, done: false }));
      assert.match(await answerOn(connection, 50), /maxMetadataBytes is 65536/);
      await connection.flood([new Uint8Array(4 * mebibyte)], 10_000);
      await connection.settled(field.paths.unary, 100);
      return "unknown methods, or refused from the header";
    },
  },
  {
    name: "client-error-text",
    attack: 21,
    what: "errors from the client whose text is no UTF-8, too short, 4 MiB long, or neither of the two formats",
    async run(field) {
      const connection = await field.connect();
      const bodies = [
        new Uint8Array(0),
        Uint8Array.of(1),
        Uint8Array.of(1, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
        joinBytes([new Uint8Array(8), Uint8Array.of(0xff, 0xfe)]),
        Uint8Array.of(1, 8, 5, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f),
        new Uint8Array(4 * mebibyte).fill(0x80),
      ];
      for (const [index, body] of bodies.entries()) {
        connection.write(invoke(index + 1, field.paths.bidi, { [behaviourKey]: "waits for its signal" }));
        await connection.flood([frame(Kind.Error, index + 1, 3, body)], 10_000);
      }
      await connection.settled(field.paths.unary, 100);
      await field.untilNoted("all handlers have settled", ({ settled }) => settled >= bodies.length);
      return "the calls end";
    },
  },
  {
    name: "unauthenticated-body",
    attack: 25,
    what: "messages of 4 MiB on 100 streams, by a caller whom the gate refuses",
    victim: { authenticates: true },
    bound: { heapMiB: 48, rssMiB: 224 },
    async run(field) {
      const connection = await field.connect();
      const ids = Array.from({ length: 100 }, (_, index) => index + 1);
      const data = new Uint8Array(32_768);
      for (const id of ids) {
        const header = frame(Kind.Message, id, 2, data, { done: false });
        connection.write(invoke(id, field.paths.unary), header);
      }
      await connection.until("all are answered", () => connection.errors.size === ids.length, { timeoutMs: 2_000 });
      const [first] = connection.errors.values();
      assert.equal(first?.code, 16n);
      return "refused before the body has come";
    },
  },
];

/** Waits for the answer on a stream, and returns the text of an error, or that it is a message. */
async function answerOn(connection: RawConnection, stream: number): Promise<string> {
  await connection.until(`an answer on stream ${stream}`, () =>
    [connection.errors, connection.messages].some((map) => map.has(stream)),
  );
  return connection.errors.get(stream)?.text ?? "a message";
}
