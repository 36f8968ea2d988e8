// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createContextKey, type Interceptor } from "@ts-drpc/core";
import { createNodeServer, createNodeTransport } from "@ts-drpc/node";
import { benchHandler } from "../bench-handler.js";
import type { BenchClient, Contender, Settings } from "../contender.js";
import { createBenchServiceClient, registerBenchService } from "../gen/bench/v1/bench_drpc.js";
import { IterableClient } from "../iterable-client.js";

const caller = createContextKey("nobody", { description: "caller" });

/** Says who calls. */
const identify: Interceptor = (next) => (request) => {
  request.metadata.set("caller", "bench");
  return next(request);
};

/** Knows who calls. */
const recognize: Interceptor = (next) => (request) => {
  request.contextValues.set(caller, request.metadata.get("caller") ?? "nobody");
  return next(request);
};

const metrics = { calls: 0, failures: 0, longestMs: 0 };

/** Counts calls and failures, as metrics do. */
const count: Interceptor = (next) => async (request) => {
  metrics.calls++;
  try {
    return await next(request);
  } catch (reason) {
    metrics.failures++;
    throw reason;
  }
};

/** Measures how long calls take, as a log does. */
const time: Interceptor = (next) => async (request) => {
  const start = performance.now();
  try {
    return await next(request);
  } finally {
    metrics.longestMs = Math.max(metrics.longestMs, performance.now() - start);
  }
};

/**
 * ts-drpc with everything that a careful user switches on: on each call a
 * deadline, a signal and a metadata entry, and on both sides a chain of three
 * interceptors and limits of their own. The calls of a client share a signal,
 * as those made for one request or by one process do.
 */
export const contender: Contender = {
  async serve({ maxConcurrentStreams, maxConnections }: Settings): Promise<number> {
    const server = createNodeServer({
      routes: (router) => registerBenchService(router, benchHandler),
      interceptors: [count, time, recognize],
      maxConcurrentStreams,
      maxConnections,
      maxMessageBytes: 2 * 1024 * 1024,
      maxMetadataBytes: 8 * 1024,
      maxMetadataKeys: 16,
      invokeTimeoutMs: 5_000,
      onError: (reason) => console.error(reason),
    });
    return (await server.listen({ port: 0, host: "127.0.0.1" })).port;
  },

  connect(port: number): BenchClient {
    const transport = createNodeTransport({
      host: "127.0.0.1",
      port,
      interceptors: [count, time, identify],
      maxMessageBytes: 2 * 1024 * 1024,
    });
    const { signal } = new AbortController();
    return new IterableClient(
      createBenchServiceClient(transport),
      () => transport.close({ drainMs: 0 }),
      () => ({ timeoutMs: 600_000, signal }),
    );
  },
};
