// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Worker } from "node:worker_threads";
import { corpusPath } from "./corpus.js";
import { maxInputBytes } from "./mutate.js";

const headBytes = 12;
const hangMs = 10_000;

/** The input that is being read, in memory that a thread watches, so that one that is read for ever is found. */
export class InputInHand {
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(targets: readonly string[]) {
    const shared = new SharedArrayBuffer(headBytes + 2 * maxInputBytes);
    this.#head = new Int32Array(shared, 0, headBytes / 4);
    this.#bytes = new Uint8Array(shared, headBytes);
    const paths = targets.map((target) => corpusPath(target, "failed-by-hanging"));
    const workerData = { shared, headBytes, hangMs, paths };
    new Worker(new URL("watchdog.mjs", import.meta.url), { execArgv: [], workerData }).unref();
  }

  /** The next input of a target, by its index, is going to be read. */
  take(target: number, input: Uint8Array): void {
    const length = Math.min(input.length, this.#bytes.length);
    this.#bytes.set(input.subarray(0, length));
    Atomics.store(this.#head, 1, target);
    Atomics.store(this.#head, 2, length);
    Atomics.add(this.#head, 0, 1);
  }
}
