// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ContenderName } from "./contenders.js";
import type { ClientRound, Usage } from "./measurement.js";
import type { Workload } from "./workload.js";

/** What a worker can be told. */
export type Command =
  | { readonly do: "serve"; readonly contender: ContenderName; readonly workload: Workload }
  | { readonly do: "connect"; readonly contender: ContenderName; readonly port: number }
  | { readonly do: "run"; readonly workload: Workload; readonly durationMs: number }
  | { readonly do: "usage" }
  | { readonly do: "memory" };

/** What a worker answers to each command. */
interface Answers {
  readonly serve: number;
  readonly connect: undefined;
  readonly run: ClientRound;
  readonly usage: Usage;
  readonly memory: number;
}

type Reply = { readonly answer: unknown } | { readonly failure: string };

/** Nothing takes as long. What does hangs, and the run is to say so. */
const answerTimeoutMs = 600_000;

/** A server or client in a process of its own, which dies with this one. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #exited: Promise<never>;

  /** Starts the worker that {@link buildWorker} made, with options of Node such as `--cpu-prof`. */
  constructor(workerFile: string, name: string, nodeOptions: readonly string[] = []) {
    this.#name = name;
    this.#child = fork(workerFile, { execArgv: ["--expose-gc", ...nodeOptions], serialization: "advanced" });
    this.#exited = once(this.#child, "exit").then(([code, signal]) => {
      throw new Error(`the process of the ${name} ended, with ${signal ?? `code ${code}`}`);
    });
    this.#exited.catch(() => undefined);
  }

  /** Tells the worker to do something, and resolves with its answer. */
  async tell<C extends Command>(command: C): Promise<Answers[C["do"]]> {
    const replied = once(this.#child, "message", { signal: AbortSignal.timeout(answerTimeoutMs) });
    this.#child.send(command);
    const [reply] = (await Promise.race([replied, this.#exited])) as [Reply];
    if ("failure" in reply) {
      throw new Error(`the ${this.#name} failed: ${reply.failure}`);
    }
    return reply.answer as Answers[C["do"]];
  }

  /** Ends the process, and resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.connected) {
      this.#child.disconnect();
    }
    await this.#exited.catch(() => undefined);
  }
}
