// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const timeout = 60_000;

// The pears are there only after a client has put them there, so each server is asked by one client.
const answers = ["3 apples", "5: there are no unicorns", "0 pears", "2 pears"];

test("before: the grpc-js client and the grpc-js server understand each other", { timeout }, async (t) => {
  const [port] = await start(t, "before/server.ts", ["gRPC"]);
  assert.deepEqual(await run(t, "before/client.ts", { PORT: port }), answers);
});

test("half-way: a client that was not touched calls the new server", { timeout }, async (t) => {
  const [port] = await start(t, "server.ts", ["gRPC", "DRPC"]);
  assert.deepEqual(await run(t, "before/client.ts", { PORT: port }), answers);
});

test("half-way: the new client calls a server that was not touched", { timeout }, async (t) => {
  const [port] = await start(t, "before/server.ts", ["gRPC"]);
  assert.deepEqual(await run(t, "client.ts", { PORT: port, PROTOCOL: "grpc" }), answers);
});

test("after: the new client calls the new server over gRPC", { timeout }, async (t) => {
  const [port] = await start(t, "server.ts", ["gRPC", "DRPC"]);
  assert.deepEqual(await run(t, "client.ts", { PORT: port, PROTOCOL: "grpc" }), answers);
});

test("after: the new client calls the new server over DRPC", { timeout }, async (t) => {
  const [, port] = await start(t, "server.ts", ["gRPC", "DRPC"]);
  assert.deepEqual(await run(t, "client.ts", { PORT: port }), answers);
});

/** Starts a server, and resolves with the ports that it says, in the order of these protocols. */
async function start(t: TestContext, program: string, protocols: readonly string[]): Promise<string[]> {
  const lines = createInterface({ input: output(spawnProgram(t, program, { GRPC_PORT: "0", DRPC_PORT: "0" })) });
  const iterator = lines[Symbol.asyncIterator]();
  const ports: string[] = [];
  for (const protocol of protocols) {
    const line = String((await iterator.next()).value);
    assert.ok(line.startsWith(`${protocol} on port `), line);
    ports.push(line.slice(`${protocol} on port `.length));
  }
  return ports;
}

/** Runs a client to its end, and resolves with what it wrote. */
async function run(t: TestContext, program: string, env: Record<string, string | undefined>): Promise<string[]> {
  const child = spawnProgram(t, program, env);
  const exited = once(child, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: output(child) })) {
    lines.push(line);
  }
  assert.deepEqual(await exited, [0, null]);
  return lines;
}

function spawnProgram(t: TestContext, program: string, env: Record<string, string | undefined>): ChildProcess {
  const path = fileURLToPath(new URL(`../src/${program}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, path], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

function output({ stdout }: ChildProcess): NonNullable<ChildProcess["stdout"]> {
  assert.ok(stdout !== null);
  return stdout;
}
