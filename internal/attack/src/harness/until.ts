// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

/** How long to wait for something. */
export interface Patience {
  /** Defaults to 10,000. */
  readonly timeoutMs?: number | undefined;

  /** Says that waiting is in vain. */
  readonly givesUp?: () => boolean;
}

/** Waits until something is so, and fails with what it waited for if it never is. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { timeoutMs = 10_000, givesUp = () => false }: Patience = {},
): Promise<void> {
  const start = performance.now();
  while (!(await isSo())) {
    assert.ok(!givesUp(), `the connection ended first: ${what}`);
    assert.ok(performance.now() - start < timeoutMs, `not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
