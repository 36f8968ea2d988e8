// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createNodeServer } from "@ts-drpc/node";
import { type EchoServiceHandler, registerEchoService } from "./gen/echo/v1/echo_drpc.js";

const handler: EchoServiceHandler = {
  say: ({ sentence }) => ({ sentence }),
  async *repeat({ sentence, times }) {
    for (let count = 0; count < times; count++) {
      yield { sentence };
    }
  },
  async join(requests) {
    const sentences: string[] = [];
    for await (const { sentence } of requests) {
      sentences.push(sentence);
    }
    return { sentence: sentences.join(" ") };
  },
  async *chat(requests) {
    for await (const { sentence } of requests) {
      yield { sentence };
    }
  },
};

const server = createNodeServer({ routes: (router) => registerEchoService(router, handler) });
const { port } = await server.listen({ port: Number(process.env["PORT"] ?? 8080) });
console.log(`listening on port ${port}`);

process.once("SIGTERM", async () => {
  const { drained, aborted } = await server.close({ drainMs: 5_000 });
  console.log(`closed: ${drained} calls drained, ${aborted} aborted`);
});
