// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { bodyOf, checkSize } from "./body.js";
import { type BenchClient, type StreamingClient, withStreams } from "./contender.js";
import { Latencies } from "./latencies.js";
import type { ClientRound } from "./measurement.js";
import type { Load, Workload } from "./workload.js";

/** A load that has begun. */
interface RunningLoad {
  /** True once it has done all that it was to do. A load without an end never has. */
  readonly done: () => boolean;

  /** Ends it, and resolves with how much it did a second. */
  stop(): Promise<number>;
}

/** Makes one call after the other beside a load on the same connection: for that long, or until the load has done its work. */
export async function runBeside(
  client: BenchClient,
  workload: Workload & { readonly kind: "beside" },
  durationMs: number,
): Promise<ClientRound> {
  const body = bodyOf(workload.bodyBytes);
  checkSize(await client.echo(body), body);
  const load = await start(client, workload.load);
  const latencies = new Latencies();
  const end = performance.now() + durationMs;
  const endless = workload.load.kind !== "upload" || workload.load.totalBytes === undefined;
  for (let now = performance.now(); endless ? now < end : !load.done(); ) {
    checkSize(await client.echo(body), body);
    now = latencies.record(now);
  }
  const loadPerS = await load.stop();
  return { ...latencies.round(), ...(workload.load.kind === "nothing" ? {} : { loadPerS }) };
}

async function start(client: BenchClient, load: Load): Promise<RunningLoad> {
  switch (load.kind) {
    case "nothing":
      return { done: () => false, stop: async () => 0 };
    case "upload":
      return startUpload(withStreams(client), load);
    case "streams":
      return startStreams(withStreams(client), load);
  }
}

/** The calls that are measured wait until this many messages were sent. */
const messagesAhead = 32;

async function startUpload(client: StreamingClient, load: Load & { kind: "upload" }): Promise<RunningLoad> {
  const message = bodyOf(load.messageBytes);
  const messages = (load.totalBytes ?? Number.POSITIVE_INFINITY) / load.messageBytes;
  const begun = performance.now();
  let ended: number | undefined;
  let sent = 0;
  let stopping = false;
  let flows: () => void = () => undefined;
  const flowing = new Promise<void>((resolve) => {
    flows = resolve;
  });
  const next = (): Uint8Array | undefined => {
    if (stopping || sent >= messages) {
      return undefined;
    }
    sent++;
    if (sent === messagesAhead) {
      flows();
    }
    return message;
  };
  const uploading = client.send(next).finally(() => {
    ended = performance.now();
  });
  await Promise.race([flowing, uploading]);
  return {
    done: () => ended !== undefined,
    stop: async () => {
      stopping = true;
      const arrived = await uploading;
      return (arrived * load.messageBytes) / 1e3 / ((ended ?? begun) - begun);
    },
  };
}

async function startStreams(client: StreamingClient, load: Load & { kind: "streams" }): Promise<RunningLoad> {
  const message = bodyOf(load.messageBytes);
  const begun = performance.now();
  let answers = 0;
  let stopping = false;
  const first: Promise<void>[] = [];
  const all: Promise<void>[] = [];
  for (let index = 0; index < load.streams; index++) {
    first.push(
      new Promise((resolve, reject) => {
        const onAnswer = (): boolean => {
          answers++;
          resolve();
          return !stopping;
        };
        const stream = client.pingPong(message, onAnswer);
        all.push(stream);
        stream.catch(reject);
      }),
    );
  }
  await Promise.all(first);
  return {
    done: () => false,
    stop: async () => {
      stopping = true;
      await Promise.all(all);
      return answers / ((performance.now() - begun) / 1e3);
    },
  };
}
