// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** What one contender did in one case: medians over the rounds, and the peak of memory over all of them. */
export interface Measurement {
  readonly case: string;
  readonly contender: string;

  /** Calls, messages or connections a second: the case says which. */
  readonly ratePerS: number;

  /** How long half of the calls took at most, in microseconds. */
  readonly p50Us: number;
  readonly p99Us: number;

  /** CPU time of the process for each call, in microseconds. */
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;

  /** Peak memory of the process, in MiB; of a server with idle connections or streams, what it has while they are there. */
  readonly clientRssMb: number;
  readonly serverRssMb: number;
}

/** A measurement with what only some cases have. */
export interface DetailedMeasurement extends Measurement {
  /** The load beside the calls, in its own unit a second. */
  readonly loadPerS?: number;

  /** Memory of the server for each idle connection or stream, in KiB. */
  readonly serverKibEach?: number;
}

/** What a client did in one round. */
export interface ClientRound {
  readonly calls: number;
  readonly elapsedMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly loadPerS?: number;
}

/** What a process has used since it started. */
export interface Usage {
  readonly cpuUs: number;
  readonly peakRssMb: number;
}

/** One round: what the client did, and the CPU time that both processes took. */
export interface Round extends ClientRound {
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
}

/** Returns the value in the middle, or the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Sums up the rounds of one contender. */
export function summarize(
  names: { readonly case: string; readonly contender: string },
  rounds: readonly Round[],
  memory: { readonly clientRssMb: number; readonly serverRssMb: number },
): DetailedMeasurement {
  const middle = (value: (round: Round) => number): number => round3(median(rounds.map(value)));
  const loads = rounds.flatMap(({ loadPerS }) => (loadPerS === undefined ? [] : [loadPerS]));
  return {
    ...names,
    ratePerS: middle(({ calls, elapsedMs }) => (calls / elapsedMs) * 1_000),
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    clientCpuUs: middle(({ clientCpuUs, calls }) => clientCpuUs / calls),
    serverCpuUs: middle(({ serverCpuUs, calls }) => serverCpuUs / calls),
    clientRssMb: round3(memory.clientRssMb),
    serverRssMb: round3(memory.serverRssMb),
    ...(loads.length === 0 ? {} : { loadPerS: round3(median(loads)) }),
  };
}

function round3(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
