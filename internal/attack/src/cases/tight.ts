// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { VictimOptions } from "../harness/victim-process.js";

/** A server whose limits of time are short, so that a case need not wait for the defaults to pass, and of few connections. */
export const tight: VictimOptions = {
  limits: {
    invokeTimeoutMs: 300,
    handshakeTimeoutMs: 300,
    maxConnections: 500,
    // Those that the runtime is to have; it ignores what it does not know.
    ...({
      firstFrameTimeoutMs: 300,
      idleConnectionTimeoutMs: 1_000,
      messageTimeoutMs: 300,
      stallTimeoutMs: 500,
      keepaliveIntervalMs: 300,
      keepaliveTimeoutMs: 300,
    } as object),
  },
};

/** How long a case waits for what those limits bring about. */
export const givenUpMs = 3_000;
