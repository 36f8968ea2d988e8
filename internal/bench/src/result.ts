// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import os from "node:os";
import type { BundleSize } from "./bundle-size.js";
import type { Timing } from "./case-run.js";
import type { Case } from "./cases.js";
import type { DetailedMeasurement, Measurement } from "./measurement.js";

/** A case with what was measured in it, in the order of its entries. */
export interface CaseResult {
  readonly case: Case;
  readonly measurements: readonly DetailedMeasurement[];
}

/** Everything that one run of the benchmark found out. */
export interface BenchResult {
  readonly quick: boolean;
  readonly timing: Timing;
  readonly cases: readonly CaseResult[];
  readonly bundles: readonly BundleSize[];
  readonly date: string;
  readonly machine: string;

  /** How busy the machine was before the run: the mean number of processes that ran or wanted to, over a minute. */
  readonly loadBefore: number;

  /** The contenders' packages, with their versions. */
  readonly versions: readonly string[];
}

/** Describes the machine: processor, memory, system and Node. */
export function describeMachine(): string {
  const cores = os.cpus();
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  const model = cores[0]?.model.trim() ?? "unknown processor";
  return `${cores.length} cores of ${model}, ${memory}, ${os.type()} ${os.release()}, Node ${process.version}`;
}

/** Returns how busy the machine has been for a minute. */
export function machineLoad(): number {
  return os.loadavg()[0] ?? 0;
}

/** Lists the packages that are compared, with the versions that were installed. */
export function packageVersions(): string[] {
  const file = new URL("../package.json", import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
  const compared = /^(@ts-drpc|@bufbuild|@grpc|@connectrpc|@trpc|nice-grpc|capnweb|ws$)/;
  return Object.entries(dependencies)
    .filter(([name]) => compared.test(name))
    .map(([name, version]) => `${name} ${version}`);
}

/** Returns the measurements as they go into the file of `--json`. */
export function plainMeasurements(cases: readonly CaseResult[]): Measurement[] {
  return cases.flatMap(({ measurements }) =>
    measurements.map(({ loadPerS: _load, serverKibEach: _each, ...measurement }) => measurement),
  );
}
