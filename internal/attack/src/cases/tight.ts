// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { VictimOptions } from "../harness/victim-process.js";

/** How many useless calls a second the server takes. Ten seconds' worth may come at once. */
export const maxResetsPerSecond = 100;

/** A server whose limits of time are short, so that a case need not wait for the defaults to pass, and of few connections. */
export const tight: VictimOptions = {
  limits: {
    invokeTimeoutMs: 300,
    handshakeTimeoutMs: 300,
    maxConnections: 500,
    messageTimeoutMs: 300,
    stallTimeoutMs: 500,
    keepaliveMs: 300,
    keepaliveTimeoutMs: 300,
    idleTimeoutMs: 800,
    maxResetsPerSecond,
  },
};

/** How long a case waits for what those limits bring about. */
export const givenUpMs = 3_000;
