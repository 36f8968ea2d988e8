// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CloseReport, ContractPair } from "@ts-drpc-internal/contract";
import { createDuplexTransport, type StreamPair } from "../src/index.js";

/** What a test tells the server in the child process, and what that answers. */
export type Order = { readonly order: "count" } | { readonly order: "close"; readonly drainMs: number };
export type Answer = number | CloseReport;

/** Starts a server in a child process, and returns a transport over its standard input and output. */
export async function createChildProcessPair(): Promise<ContractPair> {
  const child = fork(fileURLToPath(new URL("./stdio-server.ts", import.meta.url)), {
    stdio: ["pipe", "pipe", "inherit", "ipc"],
  });
  await once(child, "message");
  return {
    transport: createDuplexTransport(stdioOf(child), { address: "the echo process" }),
    address: "the echo process",
    server: {
      connectionCount: () => ask<number>(child, { order: "count" }),
      close: ({ drainMs }) => ask<CloseReport>(child, { order: "close", drainMs }),
    },
    dispose: async () => {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

/** Returns the pipes of a child process. */
export function stdioOf({ stdin, stdout }: ChildProcess): StreamPair {
  if (stdin === null || stdout === null) {
    throw new Error("the child process was started without pipes");
  }
  return { readable: stdout, writable: stdin };
}

async function ask<T extends Answer>(child: ChildProcess, order: Order): Promise<T> {
  const answered = once(child, "message");
  child.send(order);
  const [answer] = (await answered) as [T];
  return answer;
}
