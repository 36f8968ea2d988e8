// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ChildProgram } from "./child-program.js";
import type { GoodClientTarget, LoadReport } from "./good-client-process.js";

/** The client that behaves well, in a process of its own, so that it measures nothing but the server. */
export class GoodClient implements AsyncDisposable {
  readonly #program = new ChildProgram("./good-client-process.ts");

  /** Calls a server from now on. */
  start(target: GoodClientTarget): Promise<void> {
    return this.#program.ask("start", target);
  }

  /** Resolves with what came of the calls since it was asked last. */
  report(): Promise<LoadReport> {
    return this.#program.ask("report");
  }

  /** Calls nobody. */
  stop(): Promise<void> {
    return this.#program.ask("stop");
  }

  /** Stops its process where it stands. */
  freeze(): void {
    this.#program.freeze();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
