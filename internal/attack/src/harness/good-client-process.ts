// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The client that behaves well: it makes calls at a steady pace on a connection of its own, and measures how long they take.

import { Code, DrpcError, type UnaryMethod } from "@ts-drpc/core";
import { createNodeTransport } from "@ts-drpc/node";
import { createEchoServiceClient, EchoService, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { answerCommands } from "./child-commands.js";
import { userKey } from "./victim-handler.js";

/** Whom the client calls. */
export interface GoodClientTarget {
  readonly host: string;
  readonly port: number;

  /** A unary method to call instead of our own, of any server: it serves the client if it answers, whatever it says. */
  readonly path?: string | undefined;
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

// What this side says itself when there is no answer.
const unanswered = new Set<number>([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Internal]);

let transport: ReturnType<typeof createNodeTransport> | undefined;
let latencies: number[] = [];
let failures: string[] = [];
let stopped = true;
let loop: Promise<void> | undefined;
let path: string | undefined;

answerCommands({
  async start(target: GoodClientTarget): Promise<void> {
    await stop();
    path = target.path;
    const current = createNodeTransport({ host: target.host, port: target.port });
    transport = current;
    const client = createEchoServiceClient(current);
    const method = path === undefined ? EchoService.method.say : methodAt(path);
    const call = (): Promise<unknown> => current.unary(method, { sentence: "x" }, { metadata, timeoutMs });
    await timed(call);
    stopped = false;
    loop = Promise.all([unaryCalls(call), ...(path === undefined ? [streamedCalls(client)] : [])]).then(
      () => undefined,
    );
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

async function unaryCalls(call: () => Promise<unknown>): Promise<void> {
  while (!stopped) {
    await timed(call);
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
    if (path !== undefined && reason instanceof DrpcError && !unanswered.has(reason.code)) {
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

/** Describes a method of this path, whose messages begin with a text as ours do, or else are not understood. */
function methodAt(
  wanted: string,
): UnaryMethod<typeof EchoService.method.say.input, typeof EchoService.method.say.output> {
  const { say } = EchoService.method;
  const [, typeName = "", name = ""] = wanted.split("/");
  return { ...say, name, parent: { ...say.parent, typeName } };
}
