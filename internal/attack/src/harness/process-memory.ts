// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";

/** How much memory a process takes, in MiB. The heap is that of JavaScript, with the buffers that it holds. */
export interface MemoryReport {
  readonly heapMiB: number;
  readonly rssMiB: number;
}

const mebibyte = 1024 * 1024;
const sampleMs = 10;

/** Notes the most memory that this process took since it was told to begin. */
export class MemoryPeak {
  #heapBytes = 0;
  #rssBytes = 0;

  constructor() {
    setInterval(() => this.#sample(), sampleMs).unref();
  }

  /** Begins anew. */
  reset(): void {
    this.#heapBytes = 0;
    this.#rssBytes = 0;
    forgetResidentPeak("self");
    this.#sample();
  }

  /** Returns the peak. */
  report(): MemoryReport {
    this.#sample();
    return {
      heapMiB: this.#heapBytes / mebibyte,
      rssMiB: Math.max(this.#rssBytes / mebibyte, residentPeakMiB("self") ?? 0),
    };
  }

  #sample(): void {
    try {
      const { heapUsed, external, rss } = process.memoryUsage();
      this.#heapBytes = Math.max(this.#heapBytes, heapUsed + external);
      this.#rssBytes = Math.max(this.#rssBytes, rss);
    } catch {
      // It opens a file, of which there may be none left.
    }
  }
}

/** Returns what memory is left in use when nothing that can be collected is counted. */
export async function heldMemory(): Promise<MemoryReport> {
  for (let count = 0; count < 3; count++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapMiB: (heapUsed + external) / mebibyte, rssMiB: rss / mebibyte };
}

/** Makes the kernel forget the most memory that a process took. */
export function forgetResidentPeak(process: number | "self"): void {
  try {
    // https://docs.kernel.org/filesystems/proc.html: 5 makes the kernel forget the peak of the resident set.
    writeFileSync(`/proc/${process}/clear_refs`, "5");
  } catch {
    // Elsewhere than on Linux only the samples count.
  }
}

/** Returns the most memory that was resident, which the kernel notes between two samples too, or undefined if it does not. */
export function residentPeakMiB(process: number | "self"): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, "utf8"));
    return found === null ? undefined : Number(found[1]) / 1024;
  } catch {
    return undefined;
  }
}
