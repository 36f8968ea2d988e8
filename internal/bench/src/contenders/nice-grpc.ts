// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createChannel, createClient, createServer } from "nice-grpc";
import { benchHandler } from "../bench-handler.js";
import type { BenchClient, Contender } from "../contender.js";
import { IterableClient } from "../iterable-client.js";
import { benchDefinition, connectionOfItsOwn } from "./grpc-definition.js";

export const contender: Contender = {
  serve(): Promise<number> {
    const server = createServer();
    server.add(benchDefinition, {
      echo: async (request) => benchHandler.echo(request),
      source: benchHandler.source,
      sink: benchHandler.sink,
      chat: benchHandler.chat,
    });
    return server.listen("127.0.0.1:0");
  },

  connect(port: number): BenchClient {
    const channel = createChannel(`127.0.0.1:${port}`, undefined, connectionOfItsOwn);
    return new IterableClient(createClient(benchDefinition, channel), () => channel.close());
  },
};
