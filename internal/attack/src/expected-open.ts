// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

const rate = "the server does any number of useless things for one connection: there is no limit of a rate yet";
const silence = "a connection on which no whole frame comes stays open: there is no limit of time for it yet";
const keepalive = "a peer that is gone without a word is not noticed: there is no keepalive yet";

/**
 * The cases that are known not to hold, and why: the defence that the runtime
 * does not have yet. Whoever adds one takes its cases off, and fits the names
 * of its options into `cases/tight.ts`.
 */
export const expectedOpen: ReadonlyMap<string, string> = new Map([
  ["rapid-reset-throttled", rate],
  ["refusals-throttled", rate],
  ["server-made-errors-throttled", rate],
  ["stalled-reader", "a peer that reads nothing keeps its calls for ever: there is no limit of time for that yet"],
  ["silent-connections", silence],
  ["half-prefix", silence],
  ["cut-header", silence],
  ["trickled-message", "a message may take for ever to come: there is no limit of time for it yet"],
  ["gone-while-not-read", keepalive],
  ["frozen-peer", keepalive],
  ["unauthenticated-body", "interceptors run when the request has come: there is no gate before it yet"],
]);
