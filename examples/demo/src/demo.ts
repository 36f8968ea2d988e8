// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createNodeTransport } from "@ts-drpc/node";
import { MultiBar, Presets } from "cli-progress";
import Table from "cli-table3";
import { createDemoServiceClient } from "./gen/demo/v1/demo_drpc.js";
import { converse, download, pingWhile, type Transfer, upload } from "./workload.js";

const conversations = ["the weather", "the wire", "windows", "words"];
const pingsAlone = 2_000;
const leastPingsBeside = 500;

const file = process.execPath;
const fileBytes = (await stat(file)).size;

const server = fork(fileURLToPath(new URL("./server.ts", import.meta.url)));
const serverDied = once(server, "exit").then(([code, signal]) => {
  throw new Error(`the server process ended, with ${signal ?? `code ${code}`}`);
});
serverDied.catch(() => undefined);
const [{ port }] = (await Promise.race([once(server, "message"), serverDied])) as [{ port: number }];
console.log(`The server listens on port ${port}, process ${server.pid}. All calls go over one connection to it.\n`);

// Nothing here takes minutes: a call that does says so instead of hanging.
const transport = createNodeTransport({ host: "127.0.0.1", port, defaultTimeoutMs: 120_000 });
const client = createDemoServiceClient(transport);

const bars = new MultiBar(
  {
    format: "{name} {bar} {percentage}% {value}/{total} {unit}",
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 1_000,
  },
  Presets.shades_classic,
);
// Whatever goes wrong, the terminal gets its cursor back.
process.once("exit", () => {
  if (bars.isActive) {
    bars.stop();
  }
});
process.once("uncaughtException", (reason) => {
  console.error(`\nThe demo failed: ${reason.message}`);
  server.kill();
  process.exit(1);
});
const bar = (name: string, total: number, unit: string) => bars.create(total, 0, { name: name.padEnd(22), unit });

const pingBar = bar("unary calls, alone", pingsAlone, "calls");
const alone = await pingWhile(
  client,
  (count) => count < pingsAlone,
  () => pingBar.increment(),
);

const uploadBar = bar("upload", fileBytes, "bytes");
const downloadBar = bar("download", fileBytes, "bytes");
const besideBar = bar("unary calls, beside", leastPingsBeside, "calls");
const linesBar = bar("lines of conversation", conversations.length * 100, "lines");

let transferring = true;
const grow = (counter: typeof besideBar) => () => {
  counter.increment();
  counter.setTotal(Math.max(counter.getTotal(), (counter as unknown as { value: number }).value));
};
const beside = pingWhile(client, (count) => transferring || count < leastPingsBeside, grow(besideBar));
const talks = conversations.map((topic) => converse(client, topic, () => transferring, grow(linesBar)));

async function transfer(): Promise<[Transfer, Transfer]> {
  try {
    const up = await upload(client, file, "node", (bytes) => uploadBar.increment(bytes));
    const down = await download(client, "node", (bytes) => downloadBar.increment(bytes));
    return [up, down];
  } finally {
    transferring = false;
  }
}

const [[up, down], besideLatency, lines] = await Promise.race([
  Promise.all([transfer(), beside, Promise.all(talks)]),
  serverDied,
]);
const { connections, rssBytes } = await client.inspect({});
bars.stop();

const hash = createHash("sha256");
for await (const data of createReadStream(file)) {
  hash.update(data);
}
const expected = hash.digest("hex");

const rate = ({ bytes, seconds }: Transfer): string => (bytes / 1e6 / seconds).toFixed(0);
const table = new Table({
  head: ["what", "kind", "RPCs", "bytes", "MB/s", "p50", "p99"],
  style: { head: [], border: [] },
});
const dash = "–";
table.push(
  ["ping, alone", "unary", alone.count, dash, dash, alone.percentile(50), alone.percentile(99)],
  [
    "ping, beside the transfer",
    "unary",
    besideLatency.count,
    dash,
    dash,
    besideLatency.percentile(50),
    besideLatency.percentile(99),
  ],
  ["upload of Node's executable", "client stream", 1, up.bytes, rate(up), dash, dash],
  ["download of the same", "server stream", 1, down.bytes, rate(down), dash, dash],
  [
    `conversations, ${lines.reduce((sum, count) => sum + count, 0)} lines`,
    "bidirectional",
    lines.length,
    dash,
    dash,
    dash,
    dash,
  ],
);
console.log(`\n${table.toString()}`);
console.log(`connections used: ${connections}   server memory: ${(Number(rssBytes) / 1e6).toFixed(0)} MB`);

const wrong = [
  up.sha256 === expected ? "" : `the server got other bytes: SHA-256 ${up.sha256}, not ${expected}`,
  down.sha256 === expected ? "" : `other bytes came back: SHA-256 ${down.sha256}, not ${expected}`,
  connections === 1 ? "" : `${connections} connections were used, not one`,
].filter((text) => text !== "");
for (const text of wrong) {
  console.error(`WRONG: ${text}`);
}
if (wrong.length === 0) {
  console.log(`SHA-256 of the file, as uploaded and as downloaded: ${expected}`);
}

await transport.close();
server.disconnect();
await once(server, "exit");
process.exitCode = wrong.length === 0 ? 0 : 1;
