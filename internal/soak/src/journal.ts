// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { CallPlan } from "./call-plan.js";

/** What happened on a call. */
export interface CallRecord {
  readonly plan: CallPlan;

  /** When the call began, and when its caller knew that it was over, in milliseconds of `performance.now`. */
  beganAt: number;
  endedAt: number | undefined;

  /** How many times the caller was told of the end. */
  ends: number;

  /** How many responses the caller got. */
  received: number;

  /** What the call failed with, if it did. */
  error: unknown;
  left: boolean;
  abortedAt: number | undefined;
  sourceFailed: boolean;
  sourceFinished: boolean;

  /** How many times a handler was called, and how many of them have settled. */
  handlerCalls: number;
  handlersSettled: number;

  /** How many requests the handler got, and when it came to the end of its plan. */
  handled: number;
  handlerFinishedAt: number | undefined;
  handlerSignalAborted: boolean;

  /** What is wrong, whatever the outcome is. */
  readonly wrong: string[];
}

/** Journal keeps what happens in a round. */
export class Journal {
  readonly calls: ReadonlyMap<number, CallRecord>;

  /** What is wrong that belongs to no call. */
  readonly wrong: string[] = [];

  /** When connections were lost or closed, and when the transport was closed. */
  readonly connectionEnds: number[] = [];
  transportClosedAt: number | undefined;

  constructor(plans: readonly CallPlan[]) {
    this.calls = new Map(plans.map((plan) => [plan.id, newRecord(plan)]));
  }

  /** Returns what is kept of a call. */
  call(id: number): CallRecord {
    const record = this.calls.get(id);
    if (record === undefined) {
      throw new Error(`no call has the id ${id}`);
    }
    return record;
  }
}

function newRecord(plan: CallPlan): CallRecord {
  return {
    plan,
    beganAt: 0,
    endedAt: undefined,
    ends: 0,
    received: 0,
    error: undefined,
    left: false,
    abortedAt: undefined,
    sourceFailed: false,
    sourceFinished: false,
    handlerCalls: 0,
    handlersSettled: 0,
    handled: 0,
    handlerFinishedAt: undefined,
    handlerSignalAborted: false,
    wrong: [],
  };
}
