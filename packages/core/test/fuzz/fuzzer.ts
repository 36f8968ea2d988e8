// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readCorpus } from "./corpus.js";
import type { Coverage } from "./coverage.js";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";
import type { FuzzTarget } from "./target.js";

/** An input for which something did not hold. */
export interface Failure {
  readonly input: Uint8Array;
  readonly reason: unknown;
}

// Coverage takes as long to be taken as some inputs to be read.
const batchSize = 32;

/** Feeds a target with inputs that are made from others, and keeps those that reach code that nothing else did. */
export class Fuzzer {
  readonly target: FuzzTarget;

  /** How many inputs were read. */
  runs = 0;

  /** The inputs that reached something new. */
  readonly found: Uint8Array[] = [];

  readonly #inputs: Uint8Array[];
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  readonly #started: (input: Uint8Array) => void;
  #unhandled: unknown[] = [];

  /** `started` is told of each input before it is read. */
  constructor(
    target: FuzzTarget,
    random: Random,
    coverage?: Coverage,
    started: (input: Uint8Array) => void = () => undefined,
  ) {
    this.target = target;
    this.#random = random;
    this.#coverage = coverage;
    this.#started = started;
    this.#inputs = [...target.seeds(), ...readCorpus(target.name), new Uint8Array(0)];
  }

  /** Reads all seeds and all of the corpus. Returns those that fail. */
  async replay(): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (const input of this.#inputs) {
      const failure = await this.run(input);
      if (failure !== undefined) {
        failures.push(failure);
      }
    }
    this.#coverage?.grew();
    return failures;
  }

  /** Reads some inputs that are new. Returns the first that fails. */
  async mutateAndRun(count: number = batchSize): Promise<Failure | undefined> {
    const batch: Uint8Array[] = [];
    for (let index = 0; index < count; index++) {
      const input = mutate(this.#random.pick(this.#inputs), this.#random.pick(this.#inputs), this.#random);
      batch.push(input);
      const failure = await this.run(input);
      if (failure !== undefined) {
        return failure;
      }
    }
    if (this.#coverage?.grew()) {
      this.#keepWhatGrew(batch);
    }
    return undefined;
  }

  /** Reads one input. */
  async run(input: Uint8Array): Promise<Failure | undefined> {
    this.runs++;
    this.#started(input);
    const note = (reason: unknown): void => {
      this.#unhandled.push(reason);
    };
    process.on("unhandledRejection", note);
    try {
      await this.target.run(input);
      if (this.#unhandled.length > 0) {
        throw new Error(`a rejection was not handled: ${String(this.#unhandled[0])}`, { cause: this.#unhandled[0] });
      }
      return undefined;
    } catch (reason) {
      return { input, reason };
    } finally {
      this.#unhandled = [];
      process.off("unhandledRejection", note);
    }
  }

  /** Makes a failing input shorter, as long as it fails. */
  async shorten({ input, reason }: Failure): Promise<Failure> {
    let shortest: Failure = { input, reason };
    for (let size = input.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at + size <= shortest.input.length; ) {
        const shorter = Uint8Array.from([...shortest.input.subarray(0, at), ...shortest.input.subarray(at + size)]);
        const failure = await this.run(shorter);
        if (failure === undefined) {
          at += size;
        } else {
          shortest = failure;
        }
      }
    }
    return shortest;
  }

  /** One of a batch reached something new. Which one is not known, and the batch is short: all are mutated further. */
  #keepWhatGrew(batch: readonly Uint8Array[]): void {
    this.#inputs.push(...batch);
    this.found.push(...batch);
  }
}
