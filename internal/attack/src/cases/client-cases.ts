// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { encodeErrorPayload, Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import type { Field } from "../harness/field.js";
import { echoMessage, frame, joinBytes, longVarint } from "../harness/frames.js";
import type { RawConnection } from "../harness/raw-connection.js";
import type { CallOutcome, VictimCall } from "../harness/victim-calls.js";

const mebibyte = 1024 * 1024;

/** Servers that attack their clients. The attacked process is a server that calls others, as gateways do. */
export const clientCases: readonly AttackCase[] = [
  {
    name: "server-sends-for-ever",
    attack: 11,
    what: "a server sends endless responses, to a caller that reads one",
    async run(field) {
      const message = (index: number): Uint8Array => frame(Kind.Message, 1, 1 + index, echoMessage("x".repeat(10_000)));
      const outcome = await callHostile(
        field,
        { name: "abandonedRepeat", timeoutMs: field.times(5_000, 500) },
        (connection) => {
          void connection.flood(
            (function* () {
              for (let index = 0; ; index++) {
                yield message(index);
              }
            })(),
            60_000,
          );
        },
      );
      assert.match(outcome, /^(deadline_exceeded|resource_exhausted)/);
      return outcome;
    },
  },
  {
    name: "server-never-reads",
    attack: 12,
    what: "a server reads nothing of 256 MiB of requests",
    async run(field) {
      const call = { name: "uploads", times: 256, bytes: mebibyte, timeoutMs: field.times(5_000, 500) } as const;
      const outcome = await callHostile(field, call, (connection) => connection.pause());
      assert.match(outcome, /^deadline_exceeded/);
      return outcome;
    },
  },
  {
    name: "server-breaks-the-order",
    attack: 5,
    what: "a server answers streams that were never opened, backwards, or with what only clients send",
    async run(field) {
      const hello = echoMessage("x");
      const answers = [
        frame(Kind.Message, 99, 1, hello),
        frame(Kind.Message, 0, 1, hello),
        joinBytes([frame(Kind.Message, 1, 5, hello, { done: false }), frame(Kind.Message, 1, 4, hello)]),
        frame(Kind.Invoke, 1, 1, "/a.B/C"),
        frame(40, 1, 1),
        new Uint8Array(64).fill(0xff),
        Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
      ];
      for (const answer of answers) {
        const outcome = await callHostile(field, { name: "say", times: 3 }, (connection) => connection.write(answer));
        assert.match(outcome, /^internal: .*(protocol error|DRPC)/, Buffer.from(answer).toString("hex"));
      }
      return "the calls fail with Internal, and the first bytes of the server";
    },
  },
  {
    name: "server-errors",
    attack: 21,
    what: "a server answers with errors whose text is no UTF-8, 64 KiB or 8 MiB long, or that are cut short",
    async run(field) {
      const bodies = [
        new Uint8Array(0),
        Uint8Array.of(1),
        Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5, 0xff, 0xfe, 0xc3, 0x28),
        Uint8Array.of(1, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
        Uint8Array.of(1, 8, 5, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f),
        new Uint8Array(8).fill(0xff),
        encodeErrorPayload({ code: 5n, text: "x".repeat(70_000) }),
        new Uint8Array(8 * mebibyte),
      ];
      for (const body of bodies) {
        const outcome = await callHostile(field, { name: "say" }, (connection) =>
          connection.write(frame(Kind.Error, 1, 1, body)),
        );
        assert.match(outcome, /^(unknown|not_found|internal|resource_exhausted|code_)/);
      }
      return "each call fails with an error";
    },
  },
  {
    name: "server-settings",
    attack: 13,
    what: "a server announces windows of 0 or 2^64 - 1, settings that are malformed, and grants that overflow",
    async run(field) {
      const settings = [
        new Uint8Array(0),
        new Uint8Array(1_000),
        Uint8Array.of(0xff),
        joinBytes([8, 16, 24, 32].map((tag) => joinBytes([Uint8Array.of(tag), longVarint(2n ** 64n - 1n)]))),
        new Uint8Array(mebibyte),
      ];
      const outcomes = new Set<string>();
      for (const body of settings) {
        const call = { name: "uploads", times: 64, bytes: mebibyte, timeoutMs: field.times(1_000, 150) } as const;
        const outcome = await callHostile(field, call, (connection) => {
          connection.write(frame(Kind.Settings, 1, 1, body));
          connection.write(
            ...new Array<Uint8Array>(1_000).fill(frame(Kind.WindowUpdate, 1, 0, longVarint(2n ** 64n - 1n))),
          );
          connection.pause();
        });
        assert.match(outcome, /^(deadline_exceeded|internal|resource_exhausted)/);
        outcomes.add(outcome.split(":")[0] as string);
      }
      return [...outcomes].join(", ");
    },
  },
  {
    name: "server-hangs-up",
    attack: 17,
    what: "a server ends every connection at once: the client must not dial without end",
    async run(field) {
      const server = await field.hostileServer(({ socket }) => socket.destroy());
      const outcome = await field.victim.call({ name: "say", port: server.port, times: 50, timeoutMs: 1_000 });
      assert.match(outcome, /^unavailable/);
      const dials = server.connections.length;
      assert.ok(dials <= 200, `${dials} connections were dialled for 50 calls`);
      return `${dials} connections for 50 calls`;
    },
  },
];

/** Starts a server that answers the first bytes of each connection in its own way, and calls it. */
async function callHostile(
  field: Field,
  call: Omit<VictimCall, "port">,
  answer: (connection: RawConnection) => void,
): Promise<CallOutcome> {
  const server = await field.hostileServer((connection) => {
    connection.socket.once("data", () => answer(connection));
  });
  return field.victim.call({ ...call, port: server.port });
}
