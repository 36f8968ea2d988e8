// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Generates and compiles every proto file of google-proto-files, and exits with 1 if anything is wrong.
// With --keep the generated files stay where they were written.

import { rmSync } from "node:fs";
import { compare, typeCheck } from "./check.js";
import { createProject, type Generated, generate, writeConfig } from "./generate.js";
import { leftOut } from "./left-out.js";
import { batches, compileProtos, listProtos } from "./protos.js";

/** How many plugins run at once. */
const workers = 2;

/** How many proto files are compiled by one run of the TypeScript compiler, which takes about 2 GB for this many. */
const filesPerCheck = 2500;

const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
const progress = (text: string): void => console.log(`${seconds().padStart(8)}  ${text}`);

const paths = listProtos();
progress(`compiling ${paths.length - leftOut.length} of ${paths.length} proto files`);
const files = compileProtos();
const problems: string[] = [];
const unexpected = paths.length - leftOut.length - files.filter((file) => paths.includes(file.name)).length;
if (unexpected !== 0) problems.push(`${unexpected} proto files were neither compiled nor left out`);

const project = createProject();
const generated: Generated[] = [];
const queue = batches(files);
async function work(): Promise<void> {
  for (const batch of queue) {
    generated.push(...(await generate(project, batch)));
    progress(`generated ${generated.length} of ${files.length} files`);
  }
}
await Promise.all(Array.from({ length: workers }, work));
for (const each of generated) problems.push(...compare(each));

for (let start = 0; start < generated.length; start += filesPerCheck) {
  problems.push(...typeCheck(writeConfig(project, generated.slice(start, start + filesPerCheck))));
  progress(`type-checked ${Math.min(start + filesPerCheck, generated.length)} of ${generated.length} files`);
}
if (process.argv.includes("--keep")) progress(`kept ${project}`);
else rmSync(project, { recursive: true });

const services = files.flatMap((file) => file.service);
console.log();
for (const { path, reason } of leftOut) console.log(`left out: ${path}: ${reason}`);
console.table({
  "proto files": paths.length,
  "left out": leftOut.length,
  "generated and compiled": files.length,
  "with services": files.filter((file) => file.service.length > 0).length,
  services: services.length,
  methods: services.reduce((sum, service) => sum + service.method.length, 0),
  problems: problems.length,
  time: seconds(),
});
for (const problem of problems.slice(0, 50)) console.error(problem);
if (problems.length > 50) console.error(`and ${problems.length - 50} more`);
process.exitCode = problems.length === 0 ? 0 : 1;
