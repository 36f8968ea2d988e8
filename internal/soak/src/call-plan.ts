// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Choices } from "./choices.js";

/** The four kinds of calls, named after the methods of the echo service. */
export type CallKind = "say" | "repeat" | "join" | "chat";

/** How a handler ends: it returns, it throws an error for its caller, or something that its caller must not see. */
export type HandlerEnd = "return" | "error" | "throw";

/** What is going to happen on a call, on both sides. */
export interface CallPlan {
  readonly id: number;
  readonly kind: CallKind;

  /** When the call begins, in milliseconds after the round does. */
  readonly startMs: number;

  /** The sizes of the requests that the caller has. */
  readonly requests: readonly number[];

  /** The sizes of the responses that the handler gives before it ends. */
  readonly responses: readonly number[];

  /** How many requests the handler reads at most. */
  readonly reads: number;
  readonly handlerEnd: HandlerEnd;

  /** How long the handler waits before each response, in milliseconds. */
  readonly handlerPauseMs: number;

  /** How long the caller waits before each request, and behind each response, in milliseconds. */
  readonly callerPauseMs: number;

  /** The caller's requests fail behind this many. */
  readonly sourceFailsAfter: number | undefined;

  /** The caller leaves by `break` behind this many responses. */
  readonly leavesAfter: number | undefined;

  /** The caller's signal aborts so many milliseconds after the call began. */
  readonly abortsAfterMs: number | undefined;
  readonly timeoutMs: number | undefined;
}

/** What the plans of a round have in common. */
export interface PlanLimits {
  /** How long it takes until all calls have begun. */
  readonly spreadMs: number;

  /** Calls that nothing else ends need a deadline. */
  readonly needsDeadline: boolean;

  /** How large messages may be. */
  readonly maxBytes: number;
}

/** Plans a call. */
export function planCall(id: number, choices: Choices, { spreadMs, needsDeadline, maxBytes }: PlanLimits): CallPlan {
  const kind = choices.of<CallKind>("say", "repeat", "join", "chat");
  const streams = { requests: kind === "join" || kind === "chat", responses: kind === "repeat" || kind === "chat" };
  const sizes = (streamed: boolean): number[] => {
    const count = streamed ? choices.of(0, 1, 2, 5, choices.between(0, 30)) : 1;
    return Array.from({ length: count }, () => choices.size(maxBytes));
  };
  const requests = sizes(streams.requests);
  const handlerEnd = choices.of<HandlerEnd>("return", "return", "return", "error", "throw");
  // A handler that answers once does so only if it returns.
  const responses = streams.responses ? sizes(true) : handlerEnd === "return" ? sizes(false) : [];
  const seldom = <T>(chance: number, value: () => T): T | undefined => (choices.percent(chance) ? value() : undefined);
  return {
    id,
    kind,
    startMs: choices.between(0, spreadMs),
    requests,
    responses,
    reads: choices.percent(70) ? Number.MAX_SAFE_INTEGER : choices.between(0, requests.length),
    handlerEnd,
    handlerPauseMs: choices.of(0, 0, 0, 1, 5),
    callerPauseMs: choices.of(0, 0, 0, 1, 5),
    sourceFailsAfter: streams.requests ? seldom(8, () => choices.between(0, requests.length)) : undefined,
    leavesAfter: streams.responses ? seldom(8, () => choices.between(1, Math.max(1, responses.length))) : undefined,
    abortsAfterMs: seldom(12, () => choices.of(0, choices.between(0, 10), choices.between(0, 200))),
    timeoutMs: needsDeadline ? choices.between(50, 1_000) : seldom(12, () => choices.between(1, 300)),
  };
}
