// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { benchHandler } from "../bench-handler.js";
import { BenchService } from "../gen/bench/v1/bench_pb.js";

/** Serves Connect and gRPC over HTTP/2 without TLS. */
export async function serveConnect(): Promise<number> {
  const adapter = connectNodeAdapter({ routes: (router) => router.service(BenchService, benchHandler) });
  const server = http2.createServer(adapter).listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
