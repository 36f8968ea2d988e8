// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createNodeServer, createNodeTransport } from "@ts-drpc/node";
import { benchHandler } from "../bench-handler.js";
import type { BenchClient, Contender, Settings } from "../contender.js";
import { createBenchServiceClient, registerBenchService } from "../gen/bench/v1/bench_drpc.js";
import { IterableClient } from "../iterable-client.js";

/** ts-drpc as the README shows it: with its limits and flow control, and nothing asked for. */
export const contender: Contender = {
  async serve({ maxConcurrentStreams, maxConnections }: Settings): Promise<number> {
    const routes = (router: Parameters<typeof registerBenchService>[0]) => registerBenchService(router, benchHandler);
    const server = createNodeServer({ routes, maxConcurrentStreams, maxConnections });
    return (await server.listen({ port: 0, host: "127.0.0.1" })).port;
  },

  connect(port: number): BenchClient {
    const transport = createNodeTransport({ host: "127.0.0.1", port });
    return new IterableClient(createBenchServiceClient(transport), () => transport.close({ drainMs: 0 }));
  },
};
