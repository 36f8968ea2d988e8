// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md: factor and jitter are those of gRPC.
const factor = 1.6;
const jitter = 0.2;

// Longer than this, setTimeout fires at once.
const maxTimerMs = 0x7fff_ffff;

/** The pauses between attempts that fail. */
export interface BackoffInit {
  /** The pause after the first failure, in milliseconds, give or take the jitter. */
  readonly initialMs: number;

  /** The longest pause, in milliseconds, before the jitter. */
  readonly maxMs: number;
}

/**
 * Returns how long to pause after so many failures in a row, in milliseconds.
 * Pauses grow, and differ at random by a fifth, so that the clients of a
 * server that comes back do not all come back to it at once.
 */
export function backoffMs({ initialMs, maxMs }: BackoffInit, failures: number): number {
  const pause = Math.min(initialMs * factor ** (failures - 1), maxMs);
  return Math.min(Math.round(pause * (1 - jitter + 2 * jitter * Math.random())), maxTimerMs);
}
