// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ChildProgram } from "./child-program.js";
import type { MemoryReport } from "./process-memory.js";
import type { CallOutcome, VictimCall } from "./victim-calls.js";
import type { VictimJournal, VictimOptions, VictimPorts } from "./victim-process.js";

// A heap that grows without bound crashes the process instead of filling the machine.
const maxHeapMiB = 512;

/** The attacked process, seen from outside. */
export class Victim implements AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  readonly #program: ChildProgram;

  private constructor(program: ChildProgram, { port, tlsPort }: VictimPorts) {
    this.#program = program;
    this.port = port;
    this.tlsPort = tlsPort;
  }

  /** Starts a server in a process of its own. */
  static async start(options: VictimOptions = {}, maxOpenFiles?: number): Promise<Victim> {
    const program = new ChildProgram("./victim-process.ts", { maxOpenFiles, maxHeapMiB });
    return new Victim(program, await program.ask<VictimPorts>("listen", options));
  }

  /** True until the process has ended. */
  get alive(): boolean {
    return this.#program.alive;
  }

  /** The end of what it printed. */
  get log(): string {
    return this.#program.log;
  }

  /** Makes it listen on another of the machine's addresses, too, and resolves with the port. */
  listenOn(host: string): Promise<number> {
    return this.#program.ask("listenOn", host);
  }

  /** Forgets what it noted, and the most memory that it took so far. */
  reset(): Promise<void> {
    return this.#program.ask("reset");
  }

  /** The most memory that it took since then. */
  peak(): Promise<MemoryReport> {
    return this.#program.ask("peak");
  }

  /** The memory that it cannot give back now. */
  held(): Promise<MemoryReport> {
    return this.#program.ask("held");
  }

  /** What its server noted. */
  journal(): Promise<VictimJournal> {
    return this.#program.ask("journal");
  }

  /** Lets the handlers go on that ignore their signal. */
  release(): Promise<void> {
    return this.#program.ask("release");
  }

  /** Makes it call a server, and resolves with what came of it. */
  call(call: VictimCall): Promise<CallOutcome> {
    return this.#program.ask("call", call);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
