// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ConnectionFaults, FlowFaults } from "@ts-drpc/core/testing";
import type { Choices } from "./choices.js";

/** What goes wrong in a round, and what may follow from it. */
export interface Scenario {
  readonly name: string;

  /** What goes wrong with a connection. */
  readonly faults: (choices: Choices) => ConnectionFaults;

  /** Calls may fail because their connection was lost. */
  readonly endsConnections: boolean;

  /** Bytes arrive that nobody sent. */
  readonly damages: boolean;

  /** Nothing but a deadline ends some of the calls. */
  readonly needsDeadline: boolean;

  /** How large messages may be: where bytes come one at a time, large ones would take minutes. */
  readonly maxBytes: number;

  /** The server is closed, and perhaps the transport, while calls are under way. */
  readonly closes: boolean;
}

const calm = { endsConnections: false, damages: false, needsDeadline: false, closes: false, maxBytes: 2_000_000 };

function slow(choices: Choices): FlowFaults {
  return {
    latencyMs: choices.of(0, 0, 1, 5, 20),
    pieceBytes: choices.of(undefined, 300, 1_000, 20_000),
  };
}

function cut(choices: Choices): number {
  return choices.between(0, choices.of(100, 1_000, 30_000, 1_000_000, 5_000_000));
}

/** In one direction or the other. */
function either(choices: Choices, faults: FlowFaults): ConnectionFaults {
  return choices.percent(50)
    ? { sent: { ...slow(choices), ...faults } }
    : { received: { ...slow(choices), ...faults } };
}

/** All that may go wrong. */
export const scenarios: readonly Scenario[] = [
  { ...calm, name: "nothing goes wrong", faults: () => ({}) },
  {
    ...calm,
    name: "bytes come late and in pieces",
    faults: (choices) => ({ sent: slow(choices), received: slow(choices) }),
  },
  {
    ...calm,
    name: "bytes come one at a time",
    maxBytes: 1_000,
    faults: (choices) => ({
      sent: { ...slow(choices), pieceBytes: choices.of(1, 2, 7) },
      received: { ...slow(choices), pieceBytes: choices.of(1, 2, 7) },
    }),
  },
  {
    ...calm,
    name: "connections are cut",
    endsConnections: true,
    faults: (choices) => either(choices, { cutAfterBytes: cut(choices) }),
  },
  {
    ...calm,
    name: "one side stops reading",
    endsConnections: true,
    needsDeadline: true,
    faults: (choices) => either(choices, { stallAfterBytes: cut(choices) }),
  },
  {
    ...calm,
    name: "no credit is granted",
    needsDeadline: true,
    faults: (choices) => either(choices, { withholdCredit: true }),
  },
  {
    ...calm,
    name: "bits are flipped",
    endsConnections: true,
    damages: true,
    needsDeadline: true,
    faults: (choices) => ({
      ...either(choices, { flipEveryBytes: choices.of(100, 1_000, 10_000, 100_000) }),
      seed: choices.between(1, 1_000_000),
    }),
  },
  {
    ...calm,
    name: "the server is closed, or the client",
    endsConnections: true,
    closes: true,
    faults: (choices) => ({ sent: slow(choices), received: slow(choices) }),
  },
];
