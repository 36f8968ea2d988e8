// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ts-drpc-internal/fixtures";
import { Fuzzer } from "./fuzzer.js";
import { Random } from "./random.js";
import { sessionTargets } from "./session-targets.js";
import { fuzzTargets } from "./targets.js";

// The same inputs each time. `npm run fuzz` makes others, for as long as it is told.
const seed = 1;

for (const target of fuzzTargets) {
  test(`${target.name} reads whatever comes: the golden data, the corpus, and what is made from them`, async () => {
    const fuzzer = new Fuzzer(target, new Random(seed));
    const [failed] = await fuzzer.replay();
    const count = sessionTargets.includes(target) ? 1_000 : 3_000;
    const failure = failed ?? (await fuzzer.mutateAndRun(count));
    assert.equal(failure?.reason, undefined, failure && `on ${toHex(failure.input)}`);
  });
}
