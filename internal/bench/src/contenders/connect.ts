// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { BenchClient, Contender } from "../contender.js";
import { BenchService } from "../gen/bench/v1/bench_pb.js";
import { IterableClient } from "../iterable-client.js";
import { serveConnect } from "./connect-server.js";

/** The Connect protocol. It would compress answers from 1 KiB on, which no other contender does: it is told not to. */
export const contender: Contender = {
  serve: serveConnect,

  connect(port: number): BenchClient {
    const baseUrl = `http://127.0.0.1:${port}`;
    const sessionManager = new Http2SessionManager(baseUrl);
    const transport = createConnectTransport({ httpVersion: "2", baseUrl, sessionManager, acceptCompression: [] });
    return new IterableClient(createClient(BenchService, transport), () => sessionManager.abort());
  },
};
