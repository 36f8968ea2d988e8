// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type TestContext, test } from "node:test";

// So that one broken promise does not take the time of all others. None takes a tenth of it where nothing else runs.
const timeout = 120_000;

/** Tests one promise of the contract. */
export function promise(sentence: string, keep: (t: TestContext) => Promise<void>): void {
  test(sentence, { timeout }, keep);
}
