// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { codeName, DrpcError } from "@ts-drpc/core";
import { createNodeTransport } from "@ts-drpc/node";
import { certificates, createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { behaviourKey } from "./victim-handler.js";

/** A call that the attacked process makes itself. */
export interface VictimCall {
  readonly name: keyof typeof victimCalls;
  readonly port: number;

  /** How often, or with how many messages. */
  readonly times?: number;
  readonly bytes?: number;
  readonly tls?: boolean;

  /** How long each call may take. Defaults to 2,000. */
  readonly timeoutMs?: number;
}

/** What came of it, in short: `ok`, or the code and the text of the error. */
export type CallOutcome = string;

/** The calls that the attacked process can make. None of them rejects. */
export const victimCalls: {
  readonly [Name in "say" | "abandonedRepeat" | "uploads" | "longLivedSignal"]: (
    call: VictimCall,
  ) => Promise<CallOutcome>;
} = {
  /** Calls Say, `times` times at once. */
  say: (call) =>
    withClient(call, async (client, timeoutMs) => {
      const calls = Array.from({ length: call.times ?? 1 }, () =>
        outcome(() => client.say({ sentence: "x" }, { timeoutMs })),
      );
      return (await Promise.all(calls))[0] as string;
    }),

  /** Asks for responses, takes one, and then reads nothing until the call is over. */
  abandonedRepeat: (call) =>
    withClient(call, (client, timeoutMs) =>
      outcome(async () => {
        const responses = client.repeat({ sentence: "x", times: -1 }, { timeoutMs })[Symbol.asyncIterator]();
        await responses.next();
        await new Promise((resolve) => setTimeout(resolve, timeoutMs));
        for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
          // What waited is delivered before the error.
        }
      }),
    ),

  /** Sends messages of `bytes` bytes, as fast as they are taken. */
  uploads: (call) =>
    withClient(call, (client, timeoutMs) =>
      outcome(() => client.join(messages(call.times ?? 1, call.bytes ?? 1), { timeoutMs })),
    ),

  /** Makes many calls with one signal, which is aborted before, during and after calls, and within `for await`. */
  longLivedSignal: (call) => withClient(call, (client) => useOneSignal(client, call.times ?? 1)),
};

async function withClient(
  { port, tls = false, timeoutMs = 2_000 }: VictimCall,
  use: (client: EchoServiceClient, timeoutMs: number) => Promise<CallOutcome>,
): Promise<CallOutcome> {
  const security = tls ? { tls: { ca: certificates.authority } } : {};
  const transport = createNodeTransport({ host: "127.0.0.1", port, maxConnections: 1, ...security });
  try {
    return await use(createEchoServiceClient(transport), timeoutMs);
  } finally {
    await transport.close({ drainMs: 0 });
  }
}

async function outcome(call: () => Promise<unknown>): Promise<CallOutcome> {
  try {
    await call();
    return "ok";
  } catch (reason) {
    return reason instanceof DrpcError ? `${codeName(reason.code)}: ${reason.rawMessage}` : `thrown: ${String(reason)}`;
  }
}

async function* messages(times: number, bytes: number): AsyncGenerator<{ sentence: string }> {
  const sentence = "x".repeat(bytes);
  for (let count = 0; count < times; count++) {
    yield { sentence };
  }
}

async function useOneSignal(client: EchoServiceClient, times: number): Promise<CallOutcome> {
  const controller = new AbortController();
  const { signal } = controller;
  for (let count = 0; count < times; count += 100) {
    await Promise.all(Array.from({ length: 100 }, () => client.say({ sentence: "x" }, { signal })));
  }
  const waits = { [behaviourKey]: "waits for its signal" };
  const under = Array.from({ length: 100 }, () =>
    outcome(() => client.say({ sentence: "x" }, { signal, metadata: waits })),
  );
  const inLoop = outcome(async () => {
    for await (const _response of client.repeat({ sentence: "x", times: -1 }, { signal })) {
      controller.abort();
    }
  });
  const outcomes = new Set([await inLoop, ...(await Promise.all(under))].map((text) => text.split(":")[0]));
  const after = await outcome(() => client.say({ sentence: "x" }, { signal }));
  const still = await outcome(() => client.say({ sentence: "x" }));
  return `during ${[...outcomes].sort().join(" and ")}, after ${after.split(":")[0]}, without it ${still}`;
}
