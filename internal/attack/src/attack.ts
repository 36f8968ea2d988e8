// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Attacks a server of ours, or any DRPC server, in every way that docs/reliability.md lists, prints a table, and writes
// it there. Exits with 1 if anything did not hold that should.

import { once } from "node:events";
import net from "node:net";
import { parseArgs } from "node:util";
import type { AttackCase } from "./attack-case.js";
import { attackCases } from "./attack-cases.js";
import { echoPaths, type Target } from "./harness/field.js";
import { reportTable, writeReport } from "./report.js";
import { type CaseReport, CaseRunner, type OutsideServer } from "./run-case.js";

const usage = `npm run attack -- [options]

  --case <part>           runs the cases whose name holds this; may be given several times
  --quick                 attacks for a second or so each, as the tests do
  --list                  lists the cases
  --address <host:port>   attacks a server that is running already, with the cases that make sense for any
  --pid <id>              the process of that server, if it runs on this machine and its memory is to be measured
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
    pid: { type: "string" },
    unary: { type: "string", default: echoPaths.unary },
    bidi: { type: "string", default: echoPaths.bidi },
    "server-streaming": { type: "string", default: echoPaths.serverStreaming },
    "client-streaming": { type: "string", default: echoPaths.clientStreaming },
    help: { type: "boolean", default: false },
  },
});

const wanted = values.case;
const named = attackCases.filter(({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)));
const cases = named.filter(({ anyServer }) => values.address === undefined || anyServer);

if (values.help) {
  console.log(usage);
} else if (values.list) {
  for (const { name, attack, what } of cases) {
    console.log(`${String(attack).padStart(2)}  ${name.padEnd(28)} ${what}`);
  }
} else if (cases.length === 0) {
  fail(`no case ${named.length === 0 ? "has such a name" : "of this name is for any server"}; --list lists them`);
} else {
  await attack(cases);
}

async function attack(chosen: readonly AttackCase[]): Promise<void> {
  const outside = values.address === undefined ? undefined : await outsideServer(values.address);
  const reports: CaseReport[] = [];
  const runner = new CaseRunner({ quick: values.quick, outside });
  for (const each of chosen) {
    process.stdout.write(`${each.name.padEnd(32)} `);
    const report = await runner.run(each);
    reports.push(report);
    const { status, remark, tookMs, attacked } = report;
    console.log(`${status.padEnd(7)} ${(tookMs / 1_000).toFixed(1).padStart(5)} s  ${remark}`);
    if (outside !== undefined && status === "failed" && attacked === undefined) {
      console.log("No more is tried, as nobody answers.");
      break;
    }
  }
  await runner[Symbol.asyncDispose]();
  console.log(`\n${reportTable(reports, outside !== undefined)}`);
  const inapplicable = named.filter((each) => !chosen.includes(each)).map(({ name }) => name);
  if (inapplicable.length > 0) {
    console.log(`Not run, as they look inside a server of ours, or attack a client: ${inapplicable.join(", ")}.`);
  }
  for (const { attackCase } of reports.filter(({ status }) => status === "closed")) {
    console.log(`${attackCase.name} holds now: take it off the list in expected-open.ts`);
  }
  if (outside === undefined && wanted === undefined && !values.quick) {
    writeReport(reports);
  }
  process.exit(reports.some(({ status }) => status === "failed") ? 1 : 0);
}

/** Returns what is known of the server at an address. Ends the process if nothing listens there. */
async function outsideServer(address: string): Promise<OutsideServer> {
  const { pid } = values;
  if (pid !== undefined && !/^[1-9]\d*$/.test(pid)) {
    fail(`--pid must be the id of a process, got ${pid}`);
  }
  const paths = {
    unary: values.unary,
    bidi: values.bidi,
    serverStreaming: values["server-streaming"],
    clientStreaming: values["client-streaming"],
  };
  for (const path of Object.values(paths)) {
    if (!/^\/[^/]+\/[^/]+$/.test(path)) {
      fail(`a method must be written as /package.Service/Method, got ${path}`);
    }
  }
  const target = parseAddress(address);
  const socket = net.connect(target);
  const reached = once(socket, "connect", { signal: AbortSignal.timeout(10_000) });
  await reached.catch((reason: unknown) => fail(`cannot connect to ${address}: ${String(reason)}`));
  socket.destroy();
  return { target, paths, pid: pid === undefined ? undefined : Number(pid) };
}

function fail(text: string): never {
  console.error(text);
  process.exit(1);
}

function parseAddress(address: string): Target {
  const found = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d+)$/.exec(address)?.groups;
  if (found === undefined) {
    fail(`--address must be host:port, got ${address}`);
  }
  return { host: found.six ?? (found.host as string), port: Number(found.port) };
}
