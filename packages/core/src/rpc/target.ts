// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection } from "../vocabulary/connection.js";

/**
 * Makes a connection to a server. It rejects with a DrpcError if there is none
 * to be had, and gives up when the signal aborts.
 */
export type Dial = (signal: AbortSignal) => Promise<Connection>;

/** One address of a service, and how to connect to it. */
export interface Target {
  /** What errors and states call it. Two targets of a name are the same one. */
  readonly address: string;

  readonly dial: Dial;
}

/**
 * Finds the addresses of a service. A transport asks again whenever it has to
 * connect, so that a service can move. Of more than 100 targets it uses the
 * first 100.
 */
export interface TargetResolver {
  /** Returns the targets in the order of preference, or rejects with a DrpcError. */
  resolve(signal: AbortSignal): readonly Target[] | Promise<readonly Target[]>;
}
