// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const timeout = 30_000;

test("the server and the client of the example run as two processes and understand each other", {
  timeout,
}, async (t) => {
  const server = run(t, "server.ts", "0");
  const { port } = /^listening on port (?<port>\d+)$/.exec((await server.nextLine()) ?? "")?.groups ?? {};
  assert.ok(Number(port) > 0, "the server says on which port it listens");

  const client = run(t, "client.ts", port);
  const lines = ["hi", "again", "again", "again", "many calls bye never seen", "many", "calls", "100 answers"];
  assert.deepEqual(await client.lines(), lines);
  assert.deepEqual(await client.exited, [0, null]);

  if (process.platform !== "win32") {
    server.process.kill("SIGTERM");
    assert.deepEqual(await server.lines(), ["closed: 0 calls drained, 0 aborted"]);
    assert.deepEqual(await server.exited, [0, null]);
  }
});

test("the client of the example says so if no server is there", { timeout }, async (t) => {
  const client = run(t, "client.ts", "1");
  const [text, exit] = await Promise.all([client.errors(), client.exited]);
  assert.match(text, /cannot connect to localhost:1: .*ECONNREFUSED/);
  assert.deepEqual(exit, [1, null]);
});

interface Run {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown[]>;

  /** Resolves with the next line of the output. */
  nextLine(): Promise<string | undefined>;

  /** Resolves with all further lines, at the end of the output. */
  lines(): Promise<string[]>;

  /** Resolves with what was written to the standard error output, at its end. */
  errors(): Promise<string>;
}

/** Runs a program of the example, with all that the tests themselves run with. */
function run(t: TestContext, program: string, port: string | undefined): Run {
  const path = fileURLToPath(new URL(`../src/${program}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, path], { env: { ...process.env, PORT: port } });
  t.after(() => child.kill("SIGKILL"));
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const errorsEnded = once(child.stderr, "end");
  return {
    process: child,
    exited: once(child, "exit"),
    nextLine: async () => (await output.next()).value,
    lines: async () => {
      const lines: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => output }) {
        lines.push(line);
      }
      return lines;
    },
    errors: async () => {
      await errorsEnded;
      return Buffer.concat(errors).toString();
    },
  };
}
