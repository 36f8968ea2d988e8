// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Field } from "./field.js";
import { unaryCall } from "./frames.js";

/** What becomes of a connection: it ends, it goes on to serve, or, with servers of others, it does neither. */
export type Fate = "ends" | "lives" | "hangs";

/** Something to send on a connection of its own, and what must become of it. */
export interface FateRow {
  readonly sends: string;
  readonly bytes: Uint8Array;
  readonly fate: Fate;
}

// Above the ids that the rows use.
const probeStream = 1_000;

/** Sends bytes on a connection of their own, then a call, and tells whether that is answered. */
export async function fateOf(field: Field, bytes: Uint8Array): Promise<Fate> {
  const connection = await field.connect();
  connection.write(bytes, unaryCall(probeStream, field.paths.unary));
  const answered = (): boolean => connection.errors.has(probeStream) || connection.messages.has(probeStream);
  const settled = (): boolean => answered() || connection.isEnded;
  if (field.inside) {
    await connection.until("the connection ends or answers", settled);
  } else {
    await field.watch(settled);
  }
  const fate = answered() ? "lives" : connection.isEnded ? "ends" : "hangs";
  connection.socket.destroy();
  return fate;
}

/** Asserts what becomes of each row's connection, and returns the remark for the table. */
export async function assertFates(field: Field, rows: readonly FateRow[]): Promise<string> {
  const fates = await Promise.all(
    rows.map(async (row) => ({ sends: row.sends, fate: await fateOf(field, row.bytes) })),
  );
  const count = (wanted: Fate): number => fates.filter(({ fate }) => fate === wanted).length;
  if (!field.inside) {
    return `${count("ends")} of ${fates.length} end their connection, ${count("hangs")} are left unanswered`;
  }
  assert.deepEqual(
    fates,
    rows.map(({ sends, fate }) => ({ sends, fate })),
  );
  return `${count("ends")} of ${fates.length} end their connection`;
}
