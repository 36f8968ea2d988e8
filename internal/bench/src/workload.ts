// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Settings } from "./contender.js";

/** What a client does in a round. */
export type Workload =
  | {
      readonly kind: "unary";
      readonly bodyBytes: number;
      /** How many calls are under way at any time. */
      readonly inFlight: number;
    }
  | {
      /** The server sends, or the client. */
      readonly kind: "receive" | "send";
      readonly bodyBytes: number;
    }
  | {
      readonly kind: "ping-pong";
      readonly bodyBytes: number;
      readonly streams: number;
      /** One, or one for each stream. */
      readonly connections: number;
    }
  | {
      /** Connects, makes a call, and closes, again and again. */
      readonly kind: "first-call";
      readonly bodyBytes: number;
    }
  | {
      /** Makes one call after the other, beside a load on the same connection. */
      readonly kind: "beside";
      readonly bodyBytes: number;
      readonly load: Load;
    }
  | {
      /** Opens that many connections, or streams on that many connections, and leaves them open. */
      readonly kind: "idle";
      readonly connections: number;
      readonly streamsEach: number;
    };

/** What goes on beside the calls that are measured. */
export type Load =
  | { readonly kind: "nothing" }
  /** An upload by client streaming. With `totalBytes` the round lasts until they have arrived. */
  | { readonly kind: "upload"; readonly messageBytes: number; readonly totalBytes?: number }
  /** Streams that send a message whenever the last was answered. */
  | { readonly kind: "streams"; readonly streams: number; readonly messageBytes: number };

/** The least that a server must allow. Without a need for more it stays with the default of ts-drpc. */
const leastStreams = 256;
const leastConnections = 10_000;
const spare = 100;

/** Returns what a workload needs the server to allow. */
export function settingsOf(workload: Workload): Settings {
  const settings = (streams: number, connections: number): Settings => ({
    maxConcurrentStreams: Math.max(leastStreams, streams + spare),
    maxConnections: Math.max(leastConnections, connections + spare),
  });
  switch (workload.kind) {
    case "unary":
      return settings(workload.inFlight, 1);
    case "ping-pong":
      return settings(workload.streams / workload.connections, workload.connections);
    case "beside":
      return settings(workload.load.kind === "streams" ? workload.load.streams : 1, 1);
    case "idle":
      return settings(workload.streamsEach, workload.connections);
    default:
      return settings(1, 1);
  }
}
