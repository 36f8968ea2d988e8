// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type Connection, createSessionTransport } from "@ts-drpc/core";
import { type BenchServiceClient, createBenchServiceClient } from "../gen/bench/v1/bench_drpc.js";

/** A client over whatever moves bytes, in a browser a WebSocket. */
export const createBench = (dial: () => Promise<Connection>): BenchServiceClient =>
  createBenchServiceClient(createSessionTransport(dial));
