// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Watches, in a thread of its own, whether the fuzzer goes on, and ends the process if it does not. It is no TypeScript,
// as Node 20 does not let the loader of one thread load the files of another.

import { writeFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** @type {{ shared: SharedArrayBuffer, headBytes: number, hangMs: number, paths: string[] }} */
const { shared, headBytes, hangMs, paths } = workerData;
const head = new Int32Array(shared, 0, headBytes / 4);
let number = 0;
let since = performance.now();

setInterval(() => {
  if (Atomics.load(head, 0) !== number) {
    number = Atomics.load(head, 0);
    since = performance.now();
  } else if (number > 0 && performance.now() - since > hangMs) {
    const input = new Uint8Array(shared, headBytes, Atomics.load(head, 2));
    const path = paths[Atomics.load(head, 1)];
    writeFileSync(path, `${Buffer.from(input).toString("hex")}\n`);
    writeFileSync(2, `nothing came of an input for ${hangMs} ms, ${path}\n`);
    process.kill(process.pid, "SIGKILL");
  }
}, 1_000);
parentPort?.unref();
