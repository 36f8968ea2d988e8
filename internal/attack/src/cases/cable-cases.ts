// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttackCase } from "../attack-case.js";
import { Cable, type CableEnd } from "../harness/cable.js";
import { CableClient } from "../harness/cable-client.js";
import type { Field } from "../harness/field.js";
import { givenUpMs, tight } from "./tight.js";

/** Networks that fall silent: no end, no reset, and no error tells either side of it. */
export const cableCases: readonly AttackCase[] = (["client", "server"] as const).map((end) => ({
  name: `pulled-cable-${end}`,
  attack: 18,
  what: `the cable is pulled at the ${end}'s end, with calls of all kinds under way, waiting and at full speed`,
  victim: tight,
  missing: () => Cable.missing(),
  run: (field) => pullCable(field, end),
}));

async function pullCable(field: Field, end: CableEnd): Promise<string> {
  using cable = new Cable();
  await using client = new CableClient(cable);
  const target = { host: cable.serverHost, port: await field.victim.listenOn(cable.serverHost) };
  const { connections } = await field.victim.journal();
  await client.begin(target);
  // Three connections, with a first call each, and six calls that last.
  await field.untilNoted("all handlers have begun", ({ started }) => started === 9);
  const start = Date.now();
  cable.pull(end);
  const noticed = field
    .untilNoted("all handlers have settled", ({ started, settled }) => settled === started, givenUpMs)
    .then(() => Date.now() - start);
  const [calls, noticedMs] = await Promise.all([client.ends(), noticed]);
  for (const { call, outcome } of calls) {
    assert.match(outcome, /^unavailable/, call);
  }
  const lastMs = Math.max(...calls.map(({ atMs }) => atMs)) - start;
  assert.ok(lastMs < givenUpMs, `the last call ended after ${lastMs} ms`);
  // The connection without a call is idle for a while first.
  await field.untilNoted("the connections are gone", (journal) => journal.connections === connections, givenUpMs);
  cable.plug(end);
  const pluggedMs = Date.now();
  await client.recover();
  const recoveredMs = Date.now() - pluggedMs;
  await client.end();
  return `the calls end after ${seconds(lastMs)}, their handlers after ${seconds(noticedMs)}; ${seconds(recoveredMs)} after it is plugged in calls succeed`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
