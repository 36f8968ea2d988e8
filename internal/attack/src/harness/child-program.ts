// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

// Longer than any command takes, the calls of the full form included.
const answerTimeoutMs = 120_000;

/** Options of a {@link ChildProgram}. */
export interface ChildProgramOptions {
  /** How many files it may have open. Defaults to what this process may. */
  readonly maxOpenFiles?: number | undefined;

  /** The network namespace that it runs in, on Linux. Defaults to that of this process. */
  readonly namespace?: string | undefined;

  /** How large its heap may grow before it crashes, in MiB. Defaults to what Node allows. */
  readonly maxHeapMiB?: number | undefined;
}

/** A module of this folder that runs in a process of its own and is asked things. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  readonly #exited: Promise<unknown>;
  #lastId = 0;
  #log = "";

  constructor(file: string, { maxOpenFiles, maxHeapMiB, namespace }: ChildProgramOptions = {}) {
    const node = [
      process.execPath,
      "--expose-gc",
      "--conditions=@ts-drpc/source",
      "--import",
      "tsx",
      ...(maxHeapMiB === undefined ? [] : [`--max-old-space-size=${maxHeapMiB}`]),
      fileURLToPath(new URL(file, import.meta.url)),
    ];
    const limited = ["/bin/sh", "-c", `ulimit -n ${maxOpenFiles} && exec "$@"`, "sh", ...node];
    const entered = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
    const [command, ...parameters] = [...entered, ...(maxOpenFiles === undefined ? node : limited)];
    this.#child = spawn(command as string, parameters, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // What a test runner tells its own children is not for these.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    this.#exited = once(this.#child, "exit").then(([code, signal]) => {
      const reason = new Error(`the process ended (${String(signal ?? code)})\n${this.#log}`);
      for (const { reject } of [...this.#waiting.values()]) {
        reject(reason);
      }
    });
    this.#child.on("message", (reply: Reply) => this.#reply(reply));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-10_000);
      });
    }
  }

  /** The id of the process. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** True until the process has ended. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  get log(): string {
    return this.#log;
  }

  /** Asks something, and resolves with the answer. Rejects if it cannot answer, or has ended. */
  ask<T>(command: string, argument?: unknown): Promise<T> {
    if (!this.alive) {
      return Promise.reject(new Error(`the process has ended\n${this.#log}`));
    }
    this.#lastId++;
    const id = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`the process has not answered for ${answerTimeoutMs} ms: it hangs`));
      }, answerTimeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        resolve: (result) => {
          settle();
          resolve(result as T);
        },
        reject: (reason) => {
          settle();
          reject(reason);
        },
      });
      this.#child.send({ id, command, argument }, (reason) => {
        if (reason !== null) {
          this.#waiting.get(id)?.reject(reason);
        }
      });
    });
  }

  /** Stops the process where it stands, as Ctrl-Z does. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #reply({ id, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    if (error === undefined) {
      waiting?.resolve(result);
    } else {
      waiting?.reject(new Error(error));
    }
  }
}
