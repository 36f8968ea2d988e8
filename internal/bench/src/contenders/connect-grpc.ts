// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { BenchClient, Contender } from "../contender.js";
import { BenchService } from "../gen/bench/v1/bench_pb.js";
import { IterableClient } from "../iterable-client.js";
import { serveConnect } from "./connect-server.js";

/** The gRPC protocol, spoken by Connect. It is told not to compress, as no other contender does. */
export const contender: Contender = {
  serve: serveConnect,

  connect(port: number): BenchClient {
    const baseUrl = `http://127.0.0.1:${port}`;
    const sessionManager = new Http2SessionManager(baseUrl);
    const transport = createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] });
    return new IterableClient(createClient(BenchService, transport), () => sessionManager.abort());
  },
};
