// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { certificates } from "@ts-drpc-internal/fixtures";
import { certificateFile } from "./harness.js";
import { callAtOnce, goCall } from "./load-scenarios.js";
import type { Scenario } from "./scenario.js";

/** Ports that DRPC shares with other protocols, by Go's drpcmigrate. */
export const headerScenarios: readonly Scenario[] = [
  {
    name: "the header of drpcmigrate, on a port shared with HTTP",
    async calling(harness) {
      const server = await harness.goServer("-header");
      await callAtOnce(harness.client(server, { migrateHeader: true }), 40);
      const routed = await server.connections();
      assert.ok(routed >= 1);
      assert.equal((await fetch(`http://127.0.0.1:${server.port}/`)).status, 404);
      assert.equal(await server.connections(), routed, "HTTP is not DRPC");
    },
    async serving(harness) {
      const { port } = await harness.server();
      const [plain, client] = [harness.goClient({ port }), harness.goClient({ port }, "-header")];
      await Promise.all(Array.from({ length: 40 }, (_, index) => goCall(index % 2 === 0 ? plain : client, index)));
    },
  },
  {
    name: "the header of drpcmigrate, and TLS behind it",
    async calling(harness) {
      const identity = ["-cert", certificateFile("server.pem"), "-key", certificateFile("server.key.pem")];
      const server = await harness.goServer("-header", ...identity);
      const tls = { ca: certificates.authority };
      await callAtOnce(harness.client(server, { host: "localhost", tls, migrateHeader: true }), 40);
    },
    async serving(harness) {
      const { port } = await harness.server({}, { tls: certificates.server });
      const authority = ["-ca", certificateFile("authority.pem")];
      const [plain, client] = [
        harness.goClient({ port }, ...authority),
        harness.goClient({ port }, "-header", ...authority),
      ];
      await Promise.all(Array.from({ length: 40 }, (_, index) => goCall(index % 2 === 0 ? plain : client, index)));
    },
  },
];
