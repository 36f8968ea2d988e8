// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Payload, PayloadSchema, SinkResponseSchema, SourceRequest } from "./gen/bench/v1/bench_pb.js";

type PayloadInit = MessageInitShape<typeof PayloadSchema>;

/** What the contexts of all contenders that use this handler have. */
interface Context {
  readonly signal: AbortSignal;
}

/** Handles the calls of ts-drpc, Connect and nice-grpc, whose handlers have the same shape. */
export const benchHandler = {
  echo({ body }: Payload): PayloadInit {
    return { body };
  },

  async *source({ bodyBytes }: SourceRequest, { signal }: Context): AsyncGenerator<PayloadInit> {
    const body = new Uint8Array(bodyBytes).fill(0x61);
    while (!signal.aborted) {
      yield { body };
    }
  },

  async sink(requests: AsyncIterable<Payload>): Promise<MessageInitShape<typeof SinkResponseSchema>> {
    let messages = 0;
    for await (const _request of requests) {
      messages++;
    }
    return { messages };
  },

  async *chat(requests: AsyncIterable<Payload>): AsyncGenerator<PayloadInit> {
    for await (const { body } of requests) {
      yield { body };
    }
  },
};
