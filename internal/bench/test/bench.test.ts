// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCase } from "../src/case-run.js";
import { allCases, type Case } from "../src/cases.js";
import { contenderNames, streamingContenders } from "../src/contenders.js";
import { report } from "../src/documents.js";
import { type CaseResult, plainMeasurements } from "../src/result.js";
import { buildWorker } from "../src/worker-build.js";
import { WorkerProcess } from "../src/worker-process.js";
import type { Workload } from "../src/workload.js";

const directory = join(import.meta.dirname, "../dist/test");
const timing = { warmUpMs: 0, roundMs: 20, rounds: 1 };
let workerFile: string;

before(async () => {
  workerFile = await buildWorker(directory);
});

after(() => rmSync(directory, { recursive: true, force: true }));

const numbers = ["ratePerS", "p50Us", "p99Us", "clientCpuUs", "serverCpuUs", "clientRssMb", "serverRssMb"] as const;

/** Runs a case, and checks that its result has the shape that is documented. */
async function run(each: Case): Promise<CaseResult> {
  const result = { case: each, measurements: await runCase(each, { ...timing, workerFile }) };
  const plain = plainMeasurements([result]);
  assert.deepEqual(
    plain.map(({ contender }) => contender),
    each.entries.map(({ name }) => name),
  );
  for (const measurement of plain) {
    assert.deepEqual(Object.keys(measurement), ["case", "contender", ...numbers]);
    for (const name of numbers) {
      assert.ok(Number.isFinite(measurement[name]) && measurement[name] >= 0, `${name} is ${measurement[name]}`);
    }
    assert.ok(measurement.ratePerS > 0);
  }
  return result;
}

function caseOf(workload: Workload, contenders: Case["entries"][number]["contender"][], group: Case["group"]): Case {
  const entries = contenders.map((contender) => ({ name: contender, contender, workload }));
  return { name: `${group} of a test`, group, unit: "calls", once: workload.kind === "idle", entries };
}

test("every contender makes unary calls, each in processes of its own", async () => {
  await run(caseOf({ kind: "unary", bodyBytes: 16, inFlight: 4 }, [...contenderNames], "unary"));
});

for (const kind of ["receive", "send"] as const) {
  test(`ts-drpc and the floor are measured as they ${kind}`, async () => {
    await run(caseOf({ kind, bodyBytes: 4_096 }, ["ts-drpc", "raw socket"], "streams"));
  });
}

test("calls beside a load are measured, and so is the load", async () => {
  const load = { kind: "upload", messageBytes: 4_096 } as const;
  const { measurements } = await run(caseOf({ kind: "beside", bodyBytes: 100, load }, ["ts-drpc"], "fairness"));
  assert.ok((measurements[0]?.loadPerS ?? 0) > 0);
});

test("the memory of idle streams is measured while they are there", async () => {
  const idle = { kind: "idle", connections: 2, streamsEach: 50 } as const;
  const { measurements } = await run(caseOf(idle, ["ts-drpc (all features)"], "idle"));
  assert.notEqual(measurements[0]?.serverKibEach, undefined);
});

test("a client that fails says which it was, and why", async () => {
  const worker = new WorkerProcess(workerFile, "client of nobody");
  const workload = { kind: "unary", bodyBytes: 1, inFlight: 1 } as const;
  try {
    await worker.tell({ do: "connect", contender: "ts-drpc", port: 1 });
    await assert.rejects(
      worker.tell({ do: "run", workload, durationMs: 1 }),
      /^Error: the client of nobody failed: DrpcError: .*127\.0\.0\.1:1/,
    );
  } finally {
    await worker.stop();
  }
});

test("the report has a table for each case", () => {
  const measurement = Object.fromEntries(numbers.map((name) => [name, 1_234.5])) as Record<
    (typeof numbers)[number],
    number
  >;
  const cases = allCases({ quick: true }).map((each) => ({
    case: each,
    measurements: each.entries.map(({ name }) => ({ case: each.name, contender: name, ...measurement })),
  }));
  const environment = { date: "a day", machine: "a machine", loadBefore: 0, versions: [] };
  const text = report({ quick: true, timing, cases, bundles: [], ...environment });
  for (const { name, group } of allCases({ quick: true })) {
    assert.ok(["multiplexing", "fairness"].includes(group) || text.includes(`**${name}**`), name);
  }
  assert.match(text, /\| contender +\| +alone, p50 \| +p99 \| +load \| +beside an upload, p50 \|/);
  assert.match(text, /\| +4,096 \| +4,096 \|/);
  assert.match(text, /1\.23 ms/);
});

test("names of cases differ, and contenders with streams are in all cases of streams", () => {
  for (const quick of [true, false]) {
    const names = allCases({ quick }).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  }
  const streams = allCases({ quick: true }).filter(({ group }) => group === "streams");
  assert.ok(streams.every(({ entries }) => entries.length === streamingContenders.length));
});
