// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// A client at the end of a cable: it has calls of all kinds under way when the cable is pulled, and says what became of them.

import { codeName, DrpcError, type SessionTransport } from "@ts-drpc/core";
import { createNodeTransport } from "@ts-drpc/node";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { tight } from "../cases/tight.js";
import { answerCommands } from "./child-commands.js";
import { behaviourKey } from "./victim-handler.js";

/** Whom the client calls. */
export interface CableClientTarget {
  readonly host: string;
  readonly port: number;
}

/** What became of a call. */
export interface CallEnd {
  readonly call: string;

  /** `ok`, or the code and the text of the error. */
  readonly outcome: string;

  /** When it ended, by the clock of the machine. */
  readonly atMs: number;
}

const waits = { metadata: { [behaviourKey]: "waits for its signal" } };
const chunk = { sentence: "x".repeat(65_536) };

// Calls that wait, calls that send and receive as much as they can, and no call at all: each on a connection of its own.
const roles = ["waiting", "busy", "unused"] as const;

let transports: SessionTransport[] = [];
let clients: { readonly [Role in (typeof roles)[number]]: EchoServiceClient };
let calls: Promise<CallEnd>[] = [];

answerCommands({
  /** Connects, and resolves when all calls but those of the unused connection are made. */
  async begin({ host, port }: CableClientTarget): Promise<void> {
    const { keepaliveMs, keepaliveTimeoutMs, stallTimeoutMs } = tight.limits ?? {};
    transports = roles.map(() =>
      createNodeTransport({ host, port, keepaliveMs, keepaliveTimeoutMs, stallTimeoutMs, connectTimeoutMs: 1_000 }),
    );
    const [waiting, busy, unused] = transports.map(createEchoServiceClient) as [
      EchoServiceClient,
      EchoServiceClient,
      EchoServiceClient,
    ];
    clients = { waiting, busy, unused };
    await Promise.all(Object.values(clients).map((client) => client.say({ sentence: "x" })));
    calls = [
      ended("unary", waiting.say({ sentence: "x" }, waits)),
      ended("server streaming", drain(waiting.repeat({ sentence: "x", times: 1 }, waits))),
      ended("client streaming", waiting.join(never(), waits)),
      ended("bidirectional", drain(waiting.chat(never(), waits))),
      ended("upload", busy.join(endless())),
      ended("download", drain(busy.repeat({ ...chunk, times: -1 }))),
    ];
  },

  /** Calls on the connection that was not used, and resolves with what became of all calls. */
  ends(): Promise<CallEnd[]> {
    return Promise.all([...calls, ended("a call after it", clients.unused.say({ sentence: "x" }))]);
  },

  /** Resolves when a call on each of the transports succeeds. */
  async recover(): Promise<void> {
    for (const client of Object.values(clients)) {
      await client.say({ sentence: "x" }, { waitForReady: true, timeoutMs: 30_000 });
    }
  },

  async end(): Promise<void> {
    await Promise.all(transports.map((transport) => transport.close({ drainMs: 0 })));
  },
});

async function ended(call: string, work: Promise<unknown>): Promise<CallEnd> {
  const outcome = await work.then(
    () => "ok",
    (reason: unknown) =>
      reason instanceof DrpcError ? `${codeName(reason.code)}: ${reason.rawMessage}` : `thrown: ${String(reason)}`,
  );
  return { call, outcome, atMs: Date.now() };
}

async function drain(responses: AsyncIterable<unknown>): Promise<void> {
  for await (const _response of responses) {
    // It is the end that counts.
  }
}

async function* never(): AsyncGenerator<{ sentence: string }> {
  yield { sentence: "x" };
  await new Promise(() => undefined);
}

async function* endless(): AsyncGenerator<{ sentence: string }> {
  for (;;) {
    yield chunk;
  }
}
