// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type ContenderName, contenderNames, streamingContenders } from "./contenders.js";
import type { Workload } from "./workload.js";

/** What one contender does in a case. */
export interface Entry {
  /** How the tables call it. */
  readonly name: string;
  readonly contender: ContenderName;
  readonly workload: Workload;
}

/** What belongs together in the documents. */
export type Group = "unary" | "streams" | "multiplexing" | "fairness" | "connecting" | "idle";

/** One comparison. */
export interface Case {
  readonly name: string;
  readonly group: Group;

  /** What the rate counts. */
  readonly unit: "calls" | "messages" | "connections" | "streams";

  /** True if it is measured once, on processes that do nothing else. */
  readonly once?: boolean;
  readonly entries: readonly Entry[];
}

const gibibyte = 1_073_741_824;

function same(contenders: readonly ContenderName[], workload: Workload): Entry[] {
  return contenders.map((contender) => ({ name: contender, contender, workload }));
}

function unary(size: string, bodyBytes: number, inFlight: number): Case {
  return {
    name: `unary ${size}, ${inFlight} in flight`,
    group: "unary",
    unit: "calls",
    entries: same(contenderNames, { kind: "unary", bodyBytes, inFlight }),
  };
}

function stream(kind: "receive" | "send", size: string, bodyBytes: number): Case {
  return {
    name: `${kind === "receive" ? "server" : "client"} stream ${size}`,
    group: "streams",
    unit: "messages",
    entries: same(streamingContenders, { kind, bodyBytes }),
  };
}

function multiplexing(streams: number): Case {
  const entry = (name: string, connections: number): Entry => ({
    name: `ts-drpc, ${name}`,
    contender: "ts-drpc",
    workload: { kind: "ping-pong", bodyBytes: 16, streams, connections },
  });
  const one = entry("one connection", 1);
  return {
    name: streams === 1 ? "1 stream" : `${streams.toLocaleString("en")} concurrent streams`,
    group: "multiplexing",
    unit: "messages",
    entries: streams === 1 ? [one] : [one, entry("a connection each", streams)],
  };
}

const sizes = [
  ["16 B", 16],
  ["4 KiB", 4_096],
  ["1 MiB", 1_048_576],
] as const;

/** The contenders whose calls are measured beside a load. */
const fair: readonly ContenderName[] = ["ts-drpc", "ts-drpc (all features)", "grpc-js"];

function beside(name: string, load: (Workload & { kind: "beside" })["load"]): Case {
  return {
    name: `unary 100 B, 1 in flight, ${name}`,
    group: "fairness",
    unit: "calls",
    entries: same(fair, { kind: "beside", bodyBytes: 100, load }),
  };
}

/** How many streams share a connection when many are idle. */
const idleStreamsEach = 10_000;

/** All cases. In the short form an upload lasts as long as the measurement, otherwise a gibibyte. */
export function allCases({ quick }: { readonly quick: boolean }): readonly Case[] {
  const upload = { kind: "upload", messageBytes: 65_536 } as const;
  return [
    unary("16 B", 16, 1),
    unary("16 B", 16, 64),
    unary("16 B", 16, 512),
    unary("4 KiB", 4_096, 64),
    ...sizes.map(([size, bytes]) => stream("receive", size, bytes)),
    ...sizes.map(([size, bytes]) => stream("send", size, bytes)),
    {
      name: "bidirectional ping-pong 16 B",
      group: "streams",
      unit: "messages",
      entries: same(streamingContenders, { kind: "ping-pong", bodyBytes: 16, streams: 1, connections: 1 }),
    },
    ...[1, 8, 64, 512, 4_096].map(multiplexing),
    beside("alone", { kind: "nothing" }),
    beside("beside an upload", quick ? upload : { ...upload, totalBytes: gibibyte }),
    beside("beside 1,000 busy streams", { kind: "streams", streams: 1_000, messageBytes: 100 }),
    {
      name: "first call on a new connection",
      group: "connecting",
      unit: "connections",
      entries: same(contenderNames, { kind: "first-call", bodyBytes: 16 }),
    },
    {
      name: "10,000 idle connections",
      group: "idle",
      unit: "connections",
      once: true,
      entries: same(["ts-drpc", "grpc-js", "raw socket"], { kind: "idle", connections: 10_000, streamsEach: 0 }),
    },
    {
      name: "100,000 idle streams on 10 connections",
      group: "idle",
      unit: "streams",
      once: true,
      entries: same(["ts-drpc", "grpc-js"], { kind: "idle", connections: 10, streamsEach: idleStreamsEach }),
    },
  ];
}
