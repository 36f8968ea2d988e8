// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The client that behaves well: it makes calls at a steady pace on a connection of its own, and measures how long they take.

import { Code, DrpcError } from "@ts-drpc/core";
import { createNodeTransport } from "@ts-drpc/node";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { answerCommands } from "./child-commands.js";
import { userKey } from "./victim-handler.js";

/** Whom the client calls. */
export interface GoodClientTarget {
  readonly host: string;
  readonly port: number;

  /** True if the server may not know the service: it then serves the client if it answers so. Defaults to false. */
  readonly anyAnswer?: boolean;
}

/** What came of the calls since the last report. */
export interface LoadReport {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;

  /** What went wrong, the first few. */
  readonly failures: readonly string[];
}

const paceMs = 4;
const timeoutMs = 15_000;
const maxFailures = 5;
const metadata = { [userKey]: "good" };

let transport: ReturnType<typeof createNodeTransport> | undefined;
let latencies: number[] = [];
let failures: string[] = [];
let stopped = true;
let loop: Promise<void> | undefined;
let anyAnswer = false;

answerCommands({
  async start(target: GoodClientTarget): Promise<void> {
    await stop();
    anyAnswer = target.anyAnswer ?? false;
    transport = createNodeTransport({ host: target.host, port: target.port });
    const client = createEchoServiceClient(transport);
    await timed(() => client.say({ sentence: "x" }, { metadata, timeoutMs }));
    stopped = false;
    loop = Promise.all([unaryCalls(client), ...(anyAnswer ? [] : [streamedCalls(client)])]).then(() => undefined);
  },
  report(): LoadReport {
    const sorted = latencies.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const report = { calls: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), failures };
    latencies = [];
    failures = [];
    return report;
  },
  stop,
});

async function stop(): Promise<void> {
  stopped = true;
  await loop;
  await transport?.close({ drainMs: 0 });
}

async function unaryCalls(client: EchoServiceClient): Promise<void> {
  while (!stopped) {
    await timed(() => client.say({ sentence: "x" }, { metadata, timeoutMs }));
    await new Promise((resolve) => setTimeout(resolve, paceMs));
  }
}

/** Goes to and fro on streams, each of some messages, on the same connection as the unary calls. */
async function streamedCalls(client: EchoServiceClient): Promise<void> {
  while (!stopped) {
    let answered = (): void => undefined;
    async function* requests(): AsyncGenerator<{ sentence: string }> {
      for (let count = 0; count < 50 && !stopped; count++) {
        yield { sentence: "x" };
        await new Promise<void>((resolve) => {
          answered = resolve;
        });
        await new Promise((resolve) => setTimeout(resolve, paceMs));
      }
    }
    const call = async (): Promise<void> => {
      for await (const _response of client.chat(requests(), { metadata, timeoutMs: 4 * timeoutMs })) {
        answered();
      }
    };
    await call().catch(failed);
  }
}

async function timed(call: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  try {
    await call();
    latencies.push(performance.now() - start);
  } catch (reason) {
    if (anyAnswer && reason instanceof DrpcError && reason.code === Code.Unimplemented) {
      latencies.push(performance.now() - start);
    } else {
      await failed(reason);
    }
  }
}

function failed(reason: unknown): Promise<void> {
  if (failures.length < maxFailures) {
    failures.push(String(reason));
  }
  return new Promise((resolve) => setTimeout(resolve, paceMs));
}
