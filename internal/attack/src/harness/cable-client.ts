// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Cable } from "./cable.js";
import type { CableClientTarget, CallEnd } from "./cable-client-process.js";
import { ChildProgram } from "./child-program.js";

/** The client at the end of a cable, seen from outside. */
export class CableClient implements AsyncDisposable {
  readonly #program: ChildProgram;

  constructor({ namespace }: Cable) {
    this.#program = new ChildProgram("./cable-client-process.ts", { namespace });
  }

  /** Makes its calls. */
  begin(target: CableClientTarget): Promise<void> {
    return this.#program.ask("begin", target);
  }

  /** Makes a call more, and resolves with what became of all when they have ended. */
  ends(): Promise<CallEnd[]> {
    return this.#program.ask("ends");
  }

  /** Resolves when it is served again. */
  recover(): Promise<void> {
    return this.#program.ask("recover");
  }

  /** Closes its connections. */
  end(): Promise<void> {
    return this.#program.ask("end");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
