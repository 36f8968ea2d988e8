// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Case, Entry } from "./cases.js";
import { type DetailedMeasurement, type Round, summarize } from "./measurement.js";
import { WorkerProcess } from "./worker-process.js";
import type { Workload } from "./workload.js";

/** How long it is measured, and how often. */
export interface Timing {
  readonly warmUpMs: number;
  readonly roundMs: number;
  readonly rounds: number;
}

/** How to run a case. */
export interface CaseRunOptions extends Timing {
  readonly workerFile: string;

  /** Is told before each round, and each warm-up, whose turn it is. */
  readonly onTurn?: (entry: Entry) => void;

  /** Options of Node for the processes. */
  readonly nodeOptions?: (role: "server" | "client", entry: Entry) => readonly string[];
}

/** The two processes of one contender. */
class Pair {
  readonly entry: Entry;
  readonly #server: WorkerProcess;
  readonly #client: WorkerProcess;
  readonly #rounds: Round[] = [];

  constructor(entry: Entry, { workerFile, nodeOptions = () => [] }: CaseRunOptions) {
    this.entry = entry;
    this.#server = new WorkerProcess(workerFile, `server of ${entry.name}`, nodeOptions("server", entry));
    this.#client = new WorkerProcess(workerFile, `client of ${entry.name}`, nodeOptions("client", entry));
  }

  async start(): Promise<void> {
    const { contender, workload } = this.entry;
    const port = await this.#server.tell({ do: "serve", contender, workload });
    await this.#client.tell({ do: "connect", contender, port });
  }

  async warmUp(durationMs: number): Promise<void> {
    await this.#client.tell({ do: "run", workload: warmUpOf(this.entry.workload), durationMs });
  }

  async round(durationMs: number): Promise<void> {
    const [serverBefore, clientBefore] = await this.#usage();
    const round = await this.#client.tell({ do: "run", workload: this.entry.workload, durationMs });
    const [serverAfter, clientAfter] = await this.#usage();
    this.#rounds.push({
      ...round,
      serverCpuUs: serverAfter.cpuUs - serverBefore.cpuUs,
      clientCpuUs: clientAfter.cpuUs - clientBefore.cpuUs,
    });
  }

  serverMemory(): Promise<number> {
    return this.#server.tell({ do: "memory" });
  }

  async result(caseName: string): Promise<DetailedMeasurement> {
    const [server, client] = await this.#usage();
    const memory = { serverRssMb: server.peakRssMb, clientRssMb: client.peakRssMb };
    return summarize({ case: caseName, contender: this.entry.name }, this.#rounds, memory);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#client.stop(), this.#server.stop()]);
  }

  #usage() {
    return Promise.all([this.#server.tell({ do: "usage" }), this.#client.tell({ do: "usage" })]);
  }
}

/** What is loaded and compiled by the first few of them is not memory of each. */
function warmUpOf(workload: Workload): Workload {
  return workload.kind === "idle"
    ? { ...workload, connections: 2, streamsEach: Math.min(workload.streamsEach, 20) }
    : workload;
}

/** Measures all contenders of a case, in turn, round by round. */
export async function runCase(each: Case, options: CaseRunOptions): Promise<DetailedMeasurement[]> {
  return each.once === true ? runOnce(each, options) : runInterleaved(each, options);
}

async function runInterleaved(each: Case, options: CaseRunOptions): Promise<DetailedMeasurement[]> {
  const { onTurn = () => undefined } = options;
  const pairs: Pair[] = [];
  try {
    for (const entry of each.entries) {
      const pair = new Pair(entry, options);
      pairs.push(pair);
      onTurn(entry);
      await pair.start();
      await pair.warmUp(options.warmUpMs);
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const pair of pairs) {
        onTurn(pair.entry);
        await pair.round(options.roundMs);
      }
    }
    return await Promise.all(pairs.map((pair) => pair.result(each.name)));
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()));
  }
}

async function runOnce(each: Case, options: CaseRunOptions): Promise<DetailedMeasurement[]> {
  const results: DetailedMeasurement[] = [];
  for (const entry of each.entries) {
    const pair = new Pair(entry, options);
    try {
      options.onTurn?.(entry);
      await pair.start();
      await pair.warmUp(0);
      const before = await pair.serverMemory();
      await pair.round(0);
      const serverRssMb = await pair.serverMemory();
      const result = await pair.result(each.name);
      const serverKibEach = ((serverRssMb - before) * 1_024) / idleCount(entry.workload);
      results.push({ ...result, serverRssMb, serverKibEach });
    } finally {
      await pair.stop();
    }
  }
  return results;
}

function idleCount(workload: Workload): number {
  return workload.kind === "idle" ? workload.connections * Math.max(1, workload.streamsEach) : 1;
}
