// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createNodeTransport } from "@ts-drpc/node";
import { type BenchServiceClient, createBenchServiceClient } from "../gen/bench/v1/bench_drpc.js";

export const createBench = (host: string, port: number): BenchServiceClient =>
  createBenchServiceClient(createNodeTransport({ host, port }));
