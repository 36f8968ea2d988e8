// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Session } from "node:inspector";

/** Tells which code of ours has run, block by block, as V8 counts it. */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many blocks have run so far, in how many orders of magnitude. */
  get size(): number {
    return this.#seen.size;
  }

  /** Returns true if a block has run since it was asked last that never had, or a lot more often than ever. */
  grew(): boolean {
    const before = this.#seen.size;
    const { result } = this.#post("Profiler.takePreciseCoverage") as unknown as { result: ScriptCoverage[] };
    for (const { url, functions } of result) {
      if (url.includes("/packages/core/src/")) {
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count > 0) {
              this.#seen.add(`${url}:${startOffset}:${endOffset}:${Math.min(8, Math.floor(Math.log2(count)))}`);
            }
          }
        }
      }
    }
    return this.#seen.size > before;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #post(method: string, parameters?: object): object {
    // To the session of its own thread it is answered before post returns.
    let answer: object = {};
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) {
        throw error;
      }
      answer = result ?? {};
    });
    return answer;
  }
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}
