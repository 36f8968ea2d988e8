// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { BenchService } from "../gen/bench/v1/bench_pb.js";

export const createBench = (baseUrl: string): Client<typeof BenchService> =>
  createClient(BenchService, createConnectTransport({ baseUrl, httpVersion: "2" }));
