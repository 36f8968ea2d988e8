// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Feeds all that reads bytes of a peer with inputs made from the golden data and the corpus, for some minutes, and keeps
// what fails in the corpus.

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { addToCorpus } from "./corpus.js";
import { Coverage } from "./coverage.js";
import { type Failure, Fuzzer } from "./fuzzer.js";
import { InputInHand } from "./input-in-hand.js";
import { Random } from "./random.js";
import { fuzzTargets } from "./targets.js";

const usage = `npm run fuzz -- [options]

  --minutes <n>     how long, 1 unless it is given
  --seed <n>        the seed of all chance, a random one unless it is given
  --target <part>   the targets whose name holds this: ${fuzzTargets.map(({ name }) => name).join(", ")}
  --grow            keeps what reaches new code in the corpus, too
  --help            shows this`;

// So many suffice for a run; what they have found is not worth many small files.
const mostKept = 40;

// Each target in turn, as long as others do not wait for too long.
const turnMs = 2_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    target: { type: "string", default: "" },
    grow: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const targets = fuzzTargets.filter(({ name }) => name.includes(values.target));
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const failures = new Set<string>();
const start = performance.now();

if (values.help) {
  console.log(usage);
} else if (targets.length === 0 || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(usage);
  process.exitCode = 1;
} else {
  console.log(`seed ${seed}, ${minutes} min`);
  await fuzz();
}

async function fuzz(): Promise<void> {
  const inHand = new InputInHand(targets.map(({ name }) => name));
  using coverage = new Coverage();
  const fuzzers = targets.map(
    (target, index) => new Fuzzer(target, new Random(seed + index), coverage, (input) => inHand.take(index, input)),
  );
  for (const fuzzer of fuzzers) {
    for (const failure of await fuzzer.replay()) {
      await keep(fuzzer, failure);
    }
  }
  while (performance.now() - start < minutes * 60_000) {
    for (const fuzzer of fuzzers) {
      await takeTurn(fuzzer);
    }
    showProgress(fuzzers, coverage);
  }
  if (values.grow) {
    for (const [index, fuzzer] of fuzzers.entries()) {
      await growCorpus(fuzzer, (input) => inHand.take(index, input));
    }
  }
  process.exitCode = failures.size === 0 ? 0 : 1;
}

async function takeTurn(fuzzer: Fuzzer): Promise<void> {
  for (const from = performance.now(); performance.now() - from < turnMs; ) {
    const failure = await fuzzer.mutateAndRun();
    if (failure !== undefined) {
      await keep(fuzzer, failure);
    }
  }
}

/** Keeps the shortest form of an input that failed, once for each reason. */
async function keep(fuzzer: Fuzzer, failure: Failure): Promise<void> {
  const { name } = fuzzer.target;
  const reason = failure.reason instanceof Error ? failure.reason.message : String(failure.reason);
  const key = `${name}: ${reason.slice(0, 80).replace(/\d+/g, "N")}`;
  if (failures.has(key)) {
    return;
  }
  failures.add(key);
  const shortest = await fuzzer.shorten(failure);
  console.error(`${name} failed, ${addToCorpus(name, shortest.input, "failed")}\n`, shortest.reason);
}

/** Keeps what was found, as far as it reaches code that neither the corpus nor what is kept before it does. */
async function growCorpus({ target, found }: Fuzzer, started: (input: Uint8Array) => void): Promise<void> {
  using coverage = new Coverage();
  const fuzzer = new Fuzzer(target, new Random(seed), undefined, started);
  await fuzzer.replay();
  coverage.grew();
  let kept = 0;
  for (const input of found) {
    await fuzzer.run(input);
    if (coverage.grew()) {
      addToCorpus(target.name, input, "found");
      kept++;
    }
    if (kept === mostKept) {
      return;
    }
  }
}

function showProgress(fuzzers: readonly Fuzzer[], coverage: Coverage): void {
  const seconds = ((performance.now() - start) / 1_000).toFixed();
  const runs = fuzzers.map(({ target, runs, found }) => `${target.name} ${runs} (+${found.length})`);
  console.log(`${seconds} s, ${coverage.size} blocks, ${failures.size} failures: ${runs.join(", ")}`);
}
