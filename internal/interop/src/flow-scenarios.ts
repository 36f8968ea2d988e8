// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { succeeded } from "./call-scenarios.js";
import { goCall } from "./load-scenarios.js";
import { goWindow, windowBytes } from "./mux-scenarios.js";
import type { Scenario } from "./scenario.js";

const KiB = 1024;
const MiB = 1024 * KiB;
const peer = "cockroach-mux";
const flowControl = { windowBytes, grantThresholdBytes: windowBytes / 4 };

/** Flow control at both ends, as CockroachDB's fork can have it since it multiplexes. */
export const flowScenarios: readonly Scenario[] = [
  {
    name: "flow control: 400 calls of all kinds at once on one connection",
    peer,
    async serving(harness) {
      const { port, server } = await harness.server({ flowControl, maxConcurrentStreams: 400 });
      const client = harness.goClient({ port }, ...goWindow);
      await Promise.all(Array.from({ length: 400 }, (_, index) => goCall(client, index, "one")));
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "flow control: 12 MB in messages of 60 KiB, either way and both at once",
    peer,
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 200, size: 60 * KiB })).n, "200");
      for (const [method, call] of [
        ["ServerStream", { sends: 1, n: 200 }],
        ["Bidi", { sends: 200, n: 1 }],
      ] as const) {
        const { received, inOrder } = succeeded(await client.stream(method, { ...call, size: 60 * KiB }));
        assert.deepEqual([received, inOrder], [200, true]);
      }
    },
  },
  {
    name: "flow control: messages eight times as large as the window, both ways at once",
    peer,
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      const result = succeeded(await client.stream("Bidi", { sends: 5, n: 1, size: MiB }));
      assert.deepEqual([result.received, result.size], [5, MiB]);
    },
  },
  {
    name: "flow control: a sender that waits for credit is canceled, and others go on",
    peer,
    async serving(harness) {
      const { port, server } = await harness.server({ flowControl });
      const client = harness.goClient({ port }, ...goWindow);
      const call = { sends: 100, size: 60 * KiB, metadata: { do: "stall" }, timeoutMs: 200 };
      assert.equal((await client.stream("Early", call)).code, "4");
      await Promise.all(Array.from({ length: 50 }, (_, index) => goCall(client, index, "")));
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "flow control: 10,000 empty messages",
    peer,
    async serving(harness) {
      const client = harness.goClient(await harness.server({ flowControl }), ...goWindow);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 10_000 })).n, "10000");
    },
  },
];
