// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The parts of a .cpuprofile file that are needed here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Finds the source file of a line of compiled code. */
export type SourceOf = (url: string, line: number) => string;

/** Returns how to find sources in what {@link buildWorker} made: the compiler wrote their paths above their code. */
export function readSources(directory: string): SourceOf {
  const comments = new Map<string, { line: number; source: string }[]>();
  for (const file of readdirSync(directory)) {
    const found = readFileSync(join(directory, file), "utf8")
      .split("\n")
      .flatMap((text, line) => {
        const source = /^\/\/ (?:\.\.\/)*([\w./-]+\.ts)$/.exec(text)?.[1];
        return source === undefined ? [] : [{ line, source }];
      });
    comments.set(file, found);
  }
  return (url, line) => {
    const source = comments
      .get(basename(url))
      ?.filter((comment) => comment.line <= line)
      .at(-1)?.source;
    return source ?? url.replace(/^.*node_modules\//, "");
  };
}

/** Returns the functions that took the most time themselves, as lines of text, and how busy the process was. */
export function topFunctions(profile: CpuProfile, sourceOf: SourceOf, most: number): string {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  let idleUs = 0;
  profile.samples.forEach((id, index) => {
    const us = profile.timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    totalUs += us;
    if (frame === undefined || frame.functionName === "(idle)") {
      idleUs += us;
      return;
    }
    const place = frame.url === "" ? "" : `  ${sourceOf(frame.url, frame.lineNumber)}`;
    const name = `${frame.functionName || "(anonymous)"}${place}`;
    selfUs.set(name, (selfUs.get(name) ?? 0) + us);
  });
  const busyUs = totalUs - idleUs;
  const lines = [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, us]) => `${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${name}`);
  const busy = ((busyUs / totalUs) * 100).toFixed(0);
  return [`busy ${busy} % of ${(totalUs / 1e6).toFixed(1)} s; shares of the time that it was busy:`, ...lines].join(
    "\n",
  );
}
