// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Measures all contenders in all cases. See docs/benchmarks.md.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { measureBundles } from "./bundle-size.js";
import { runCase, type Timing } from "./case-run.js";
import { allCases, type Case } from "./cases.js";
import { writeDocuments } from "./documents.js";
import {
  type BenchResult,
  type CaseResult,
  describeMachine,
  machineLoad,
  packageVersions,
  plainMeasurements,
} from "./result.js";
import { bundleTable, caseTable } from "./tables.js";
import { buildWorker } from "./worker-build.js";

const usage = `npm run bench -- [options]

  --quick        a short form, of a few minutes
  --json FILE    write the measurements to FILE
  --case TEXT    only cases whose name holds TEXT; may be repeated
  --docs         write docs/benchmarks.md and README.md, which a run of all cases in full does anyway
`;

const fullTiming: Timing = { warmUpMs: 1_000, roundMs: 1_000, rounds: 5 };
const quickTiming: Timing = { warmUpMs: 200, roundMs: 200, rounds: 3 };

/** Above this the figures are those of a machine that has other things to do. */
const busyLoad = 0.5;

const root = join(import.meta.dirname, "../../..");
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    case: { type: "string", multiple: true, default: [] },
    docs: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(usage);
  process.exit();
}
if (options.docs && options.case.length > 0) {
  console.error("--docs needs all cases, and so does not go with --case");
  process.exit(1);
}
const { quick } = options;
const timing = quick ? quickTiming : fullTiming;
const cases = allCases({ quick }).filter(
  ({ name }) => options.case.length === 0 || options.case.some((text) => name.includes(text)),
);
if (cases.length === 0) {
  console.error(`no case has a name that holds ${options.case.join(" or ")}; they are:`);
  console.error(
    allCases({ quick })
      .map(({ name }) => `  ${name}`)
      .join("\n"),
  );
  process.exit(1);
}

const loadBefore = machineLoad();
if (loadBefore > busyLoad) {
  console.warn(`The machine is busy, with a load of ${loadBefore.toFixed(1)}: the figures will be rough.`);
}
const { results, failures } = await measure(cases);
const bundles = options.case.length === 0 ? await measureBundles() : [];
for (const result of results) {
  console.log(`\n${result.case.name}\n${caseTable([result])}`);
}
if (bundles.length > 0) {
  console.log(`\nsize of a client\n${bundleTable(bundles)}`);
}
if (options.json !== undefined) {
  // npm runs scripts elsewhere than where it was called.
  const file = resolve(process.env["INIT_CWD"] ?? ".", options.json);
  writeFileSync(file, `${JSON.stringify(plainMeasurements(results), null, 2)}\n`);
}
if (failures.length > 0) {
  console.error(`\n${failures.length} cases failed`);
  process.exitCode = 1;
} else if (options.docs || (!quick && options.case.length === 0)) {
  const date = new Date().toISOString().slice(0, 10);
  const environment = { date, machine: describeMachine(), loadBefore, versions: packageVersions() };
  const result: BenchResult = { quick, timing, cases: results, bundles, ...environment };
  writeDocuments(result, root);
}

/** Runs the cases. One that fails is reported, and does not keep the others from being measured. */
async function measure(cases: readonly Case[]): Promise<{ results: CaseResult[]; failures: unknown[] }> {
  const workerFile = await buildWorker();
  const turns = (each: Case): number => each.entries.length * (each.once === true ? 1 : 1 + timing.rounds);
  const bar = new SingleBar({
    format: "{bar} {value}/{total} {duration_formatted}  {what}",
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    hideCursor: true,
  });
  bar.start(
    cases.reduce((sum, each) => sum + turns(each), 0),
    0,
    { what: "" },
  );
  const results: CaseResult[] = [];
  const failures: unknown[] = [];
  for (const each of cases) {
    const onTurn = ({ name }: { name: string }): void => bar.increment({ what: `${each.name}: ${name}` });
    try {
      results.push({ case: each, measurements: await runCase(each, { ...timing, workerFile, onTurn }) });
    } catch (reason) {
      failures.push(reason);
      console.error(`\n${each.name} failed:`, reason);
    }
  }
  bar.stop();
  return { results, failures };
}
