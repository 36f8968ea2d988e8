// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";

/** Returns how many bytes of JavaScript and of buffers are alive. The process runs with `--expose-gc`. */
export async function liveBytes(): Promise<number> {
  if (globalThis.gc === undefined) {
    throw new Error("run this with node --expose-gc");
  }
  // What was promised, and what finalizers do, comes between two collections.
  for (let times = 0; times < 3; times++) {
    globalThis.gc();
    await sleep(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Returns what keeps this process alive, with how many there are of each. */
export function openHandles(): Map<string, number> {
  const handles = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    handles.set(name, (handles.get(name) ?? 0) + 1);
  }
  return handles;
}
