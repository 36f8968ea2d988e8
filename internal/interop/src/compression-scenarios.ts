// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { minlz, snappy } from "@ts-drpc/compression";
import { assertFailed, succeeded } from "./call-scenarios.js";
import { pattern } from "./harness.js";
import { callAtOnce, goCall } from "./load-scenarios.js";
import type { Scenario } from "./scenario.js";

const KiB = 1024;
const MiB = 1024 * KiB;

// Around the sizes up to which the fork's MinLZ sends Snappy blocks, and at which its copies become longer.
const sizes = [0, 1, 20, 4 * KiB - 10, 4 * KiB, 4 * KiB + 1, 64 * KiB, 64 * KiB + 1, 300_000, MiB, 4 * MiB - 64 * KiB];

/** Messages that are compressed, as CockroachDB's fork can since it multiplexes. */
export const compressionScenarios: readonly Scenario[] = [snappy, minlz].map((compression) => ({
  name: `compression: ${compression.name}`,
  peer: "cockroach-mux",
  async calling(harness) {
    const server = await harness.goServer();
    const echo = harness.client(server, { compression });
    await callAtOnce(echo, 100);
    for (const size of sizes) {
      for (const data of [pattern(size), randomBytes(size), new Uint8Array(size)]) {
        const { data: echoed } = await echo.identity({ data });
        assert.ok(Buffer.from(data).equals(echoed), `${size} bytes`);
      }
    }
    assert.equal((await echo.metadata({}, { metadata: { key: "value" } })).text, "key=value;");
    assert.equal(await server.connections(), 1);
  },
  async serving(harness) {
    const named = ["-compression", compression.name];
    const client = harness.goClient(await harness.server({ compressions: [snappy, minlz] }), ...named);
    await Promise.all(Array.from({ length: 100 }, (_, index) => goCall(client, index, "")));
    for (const size of sizes) {
      assert.equal(succeeded(await client.unary("Identity", { size, text: "x".repeat(size % 3_000) })).size, size);
    }
    assert.equal(succeeded(await client.unary("Metadata", { metadata: { key: "value" } })).text, "key=value;");

    const { port, server } = await harness.server();
    const stranger = harness.goClient({ port }, ...named);
    const refused = await stranger.unary("Unary");
    assertFailed(refused, "12", refused.error);
    assert.equal((await stranger.unary("Unary")).code, "12");
    assert.equal(server.connectionCount, 1);
    return "yes; code 12 from a server that has none, on the same connection";
  },
}));
