// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Attacks a server of ours, or any DRPC server, in every way that docs/reliability.md lists, prints a table, and writes
// it there. Exits with 1 if anything did not hold that should.

import { parseArgs } from "node:util";
import type { AttackCase } from "./attack-case.js";
import { attackCases } from "./attack-cases.js";
import { echoPaths, type Paths, type Target } from "./harness/field.js";
import { reportTable, writeReport } from "./report.js";
import { type CaseReport, CaseRunner } from "./run-case.js";

const usage = `npm run attack -- [options]

  --case <part>           runs the cases whose name holds this; may be given several times
  --quick                 attacks for a second or so each, as the tests do
  --list                  lists the cases
  --address <host:port>   attacks a server that is running already, with the cases that make sense for any
  --unary <path>          a unary method of that server; defaults to ${echoPaths.unary}
  --bidi <path>           a bidirectional method of it; defaults to ${echoPaths.bidi}
  --server-streaming <path>, --client-streaming <path>
  --help                  shows this`;

const { values } = parseArgs({
  options: {
    case: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    address: { type: "string" },
    unary: { type: "string", default: echoPaths.unary },
    bidi: { type: "string", default: echoPaths.bidi },
    "server-streaming": { type: "string", default: echoPaths.serverStreaming },
    "client-streaming": { type: "string", default: echoPaths.clientStreaming },
    help: { type: "boolean", default: false },
  },
});

const wanted = values.case;
const cases = attackCases
  .filter(({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)))
  .filter(({ anyServer }) => values.address === undefined || anyServer);

if (values.help) {
  console.log(usage);
} else if (values.list) {
  for (const { name, attack, what } of cases) {
    console.log(`${String(attack).padStart(2)}  ${name.padEnd(28)} ${what}`);
  }
} else if (cases.length === 0) {
  console.error("no case has such a name; --list lists them");
  process.exit(1);
} else {
  await attack(cases);
}

async function attack(chosen: readonly AttackCase[]): Promise<void> {
  const outside = values.address === undefined ? undefined : { target: parseAddress(values.address), paths: paths() };
  const reports: CaseReport[] = [];
  const runner = new CaseRunner({ quick: values.quick, outside });
  for (const each of chosen) {
    process.stdout.write(`${each.name.padEnd(32)} `);
    const report = await runner.run(each);
    reports.push(report);
    console.log(`${report.status.padEnd(7)} ${(report.tookMs / 1_000).toFixed(1).padStart(5)} s  ${report.remark}`);
  }
  await runner[Symbol.asyncDispose]();
  console.log(`\n${reportTable(reports)}`);
  for (const { attackCase } of reports.filter(({ status }) => status === "closed")) {
    console.log(`${attackCase.name} holds now: take it off the list in expected-open.ts`);
  }
  if (outside === undefined && wanted === undefined && !values.quick) {
    writeReport(reports);
  }
  process.exit(reports.some(({ status }) => status === "failed") ? 1 : 0);
}

function paths(): Paths {
  return {
    unary: values.unary,
    bidi: values.bidi,
    serverStreaming: values["server-streaming"],
    clientStreaming: values["client-streaming"],
  };
}

function parseAddress(address: string): Target {
  const found = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d+)$/.exec(address)?.groups;
  if (found === undefined) {
    console.error(`--address must be host:port, got ${address}`);
    process.exit(1);
  }
  return { host: found.six ?? (found.host as string), port: Number(found.port) };
}
