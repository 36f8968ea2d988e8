// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { FloodEnd } from "./raw-connection.js";

/** What one connection may make a server do that is of no use to anyone: at once, and in each second. */
const burst = 2_000;
const perSecond = 500;

/** Asserts that a server did not do all that a flood asked of it: it ended the connection, or did only so much. */
export function assertThrottled(what: string, done: number, end: FloodEnd, tookMs: number): void {
  const most = burst + (perSecond * tookMs) / 1_000;
  assert.ok(
    end === "ended" || done <= most,
    `the server ${what} ${done} times in ${(tookMs / 1_000).toFixed(1)} s for one connection, and did not end it`,
  );
}
