// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { maxResetsPerSecond } from "../cases/tight.js";
import type { FloodEnd } from "./raw-connection.js";

// What was read in one go with the call that was one too many.
const slack = 300;

/** Asserts that a server did no more of what is of no use to anyone than `maxResetsPerSecond` allows one connection. */
export function assertThrottled(what: string, done: number, end: FloodEnd, tookMs: number): void {
  const seconds = tookMs / 1_000;
  const most = maxResetsPerSecond * (10 + seconds) + slack;
  const shown = `the server ${what} ${done} times in ${seconds.toFixed(1)} s for one connection`;
  assert.ok(done <= most, `${shown}, the limit is ${most.toFixed()}`);
  assert.equal(end, "ended", `${shown}, and did not end it`);
}
