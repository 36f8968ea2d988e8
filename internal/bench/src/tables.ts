// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { markdownTable } from "markdown-table";
import type { BundleSize } from "./bundle-size.js";
import type { Entry, Group } from "./cases.js";
import type { DetailedMeasurement } from "./measurement.js";
import type { CaseResult } from "./result.js";

const none = "–";

/** Formats a rate with three digits that count. */
export function rate(perS: number): string {
  return perS.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** Formats a time that is given in microseconds. */
export function time(us: number): string {
  const digits = { maximumSignificantDigits: 3 };
  return us < 1_000 ? `${us.toLocaleString("en", digits)} µs` : `${(us / 1_000).toLocaleString("en", digits)} ms`;
}

function megabytes(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** One column of a table. */
interface Column {
  readonly head: string;
  readonly cell: (measurement: DetailedMeasurement, entry: Entry, result: CaseResult) => string;
}

const contender: Column = { head: "contender", cell: ({ contender }) => contender };
const latency: readonly Column[] = [
  { head: "p50", cell: ({ p50Us }) => time(p50Us) },
  { head: "p99", cell: ({ p99Us }) => time(p99Us) },
];
const processorTime: Column = {
  head: "CPU, client + server",
  cell: ({ clientCpuUs, serverCpuUs }) => `${time(clientCpuUs)} + ${time(serverCpuUs)}`,
};
const memory: Column = {
  head: "peak MiB, client + server",
  cell: ({ clientRssMb, serverRssMb }) => `${megabytes(clientRssMb)} + ${megabytes(serverRssMb)}`,
};

function ratePer(unit: string): Column {
  return { head: `${unit}/s`, cell: ({ ratePerS }) => rate(ratePerS) };
}

/** How many times as fast as grpc-js. */
const ratio: Column = {
  head: "to grpc-js",
  cell: ({ ratePerS }, _entry, { measurements }) => {
    const base = measurements.find(({ contender }) => contender === "grpc-js");
    return base === undefined ? none : `${(ratePerS / base.ratePerS).toFixed(2)} ×`;
  },
};

const multiplexing: readonly Column[] = [
  {
    head: "streams",
    cell: (_measurement, { workload }) => count(workload.kind === "ping-pong" ? workload.streams : 1),
  },
  {
    head: "connections",
    cell: (_measurement, { workload }) => count(workload.kind === "ping-pong" ? workload.connections : 1),
  },
  ratePer("messages"),
  ...latency,
  processorTime,
  memory,
];

const idle: readonly Column[] = [
  contender,
  { head: "server MiB", cell: ({ serverRssMb }) => megabytes(serverRssMb) },
  { head: "KiB for each", cell: ({ serverKibEach }) => (serverKibEach === undefined ? none : rate(serverKibEach)) },
  { head: "client peak MiB", cell: ({ clientRssMb }) => megabytes(clientRssMb) },
  { head: "opened/s", cell: ({ ratePerS }) => rate(ratePerS) },
  ...latency,
];

function columns(group: Group, unit: string): readonly Column[] {
  switch (group) {
    case "multiplexing":
      return multiplexing;
    case "idle":
      return idle;
    default:
      return [contender, ratePer(unit), ratio, ...latency, processorTime, memory];
  }
}

/** Returns one table with the measurements of cases of one kind. */
export function caseTable(results: readonly CaseResult[]): string {
  const [first] = results;
  if (first === undefined) {
    return "";
  }
  if (first.case.group === "fairness") {
    return fairnessTable(results);
  }
  const shown = columns(first.case.group, first.case.unit);
  const rows = results.flatMap((result) =>
    result.measurements.map((measurement, index) => {
      const entry = result.case.entries[index];
      return shown.map(({ cell }) => (entry === undefined ? none : cell(measurement, entry, result)));
    }),
  );
  return table([shown.map(({ head }) => head), ...rows], first.case.group === "multiplexing" ? 0 : 1);
}

/** Returns one table of how long calls took beside each load, with a row for each contender. */
function fairnessTable(results: readonly CaseResult[]): string {
  const contenders = results[0]?.case.entries.map(({ name }) => name) ?? [];
  const rows = contenders.map((name) => [
    name,
    ...results.flatMap(({ measurements, case: { entries } }) => {
      const index = entries.findIndex((entry) => entry.name === name);
      return fairnessCells(measurements[index], entries[index]);
    }),
  ]);
  const heads = results.flatMap((result) => [`${result.case.name.replace(/^.*in flight, /, "")}, p50`, "p99", "load"]);
  return table([["contender", ...heads], ...rows], 1);
}

function fairnessCells(measurement?: DetailedMeasurement, entry?: Entry): string[] {
  if (measurement === undefined || entry?.workload.kind !== "beside") {
    return [none, none, none];
  }
  const { p50Us, p99Us, loadPerS } = measurement;
  const unit = entry.workload.load.kind === "upload" ? "MB/s" : "messages/s";
  return [time(p50Us), time(p99Us), loadPerS === undefined ? none : `${rate(loadPerS)} ${unit}`];
}

/** Returns the sizes of bundles as a table. */
export function bundleTable(bundles: readonly BundleSize[]): string {
  const rows = bundles.map(({ name, platform, minifiedBytes, gzipBytes }) => [
    name,
    platform,
    count(minifiedBytes),
    count(gzipBytes),
  ]);
  return table([["client", "platform", "minified, bytes", "and gzipped"], ...rows], 2);
}

/** Returns a table with a row for each contender, and a column with the rate in each case. */
export function rateTable(results: readonly CaseResult[], contenders: readonly string[]): string {
  const rows = contenders.map((name) => [
    name,
    ...results.map(({ measurements }) => {
      const found = measurements.find(({ contender }) => contender === name);
      return found === undefined ? none : rate(found.ratePerS);
    }),
  ]);
  return table([["a second", ...results.map((result) => result.case.name)], ...rows], 1);
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function table(rows: readonly (readonly string[])[], textColumns: number): string {
  const align = rows[0]?.map((_head, index) => (index < textColumns ? "l" : "r")) ?? [];
  return markdownTable(
    rows.map((row) => [...row]),
    { align },
  );
}
