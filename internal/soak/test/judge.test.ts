// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import type { CallPlan } from "../src/call-plan.js";
import { type CallRecord, Journal } from "../src/journal.js";
import { judge } from "../src/judge.js";
import { type Scenario, scenarios } from "../src/scenario.js";

const named = (name: string): Scenario => scenarios.find((each) => each.name === name) as Scenario;
const calm = named("nothing goes wrong");
const cut = named("connections are cut");
const damage = named("bits are flipped");

const plan: CallPlan = {
  id: 7,
  kind: "chat",
  startMs: 0,
  requests: [1],
  responses: [1, 2],
  reads: 1,
  handlerEnd: "return",
  handlerPauseMs: 0,
  callerPauseMs: 0,
  sourceFailsAfter: undefined,
  leavesAfter: undefined,
  abortsAfterMs: undefined,
  timeoutMs: 100,
};

/** A call that went well, but for what is said. */
function wrong(changes: Partial<CallRecord>, scenario = calm, journalChanges: Partial<Journal> = {}): string {
  const journal = Object.assign(new Journal([plan]), journalChanges);
  const record = Object.assign(journal.call(7), {
    ends: 1,
    beganAt: 1_000,
    endedAt: 1_050,
    received: 2,
    handlerCalls: 1,
    handlersSettled: 1,
    handlerFinishedAt: 1_030,
    ...changes,
  });
  return judge(record, journal, scenario).wrong.join("; ");
}

const failed = (code: number, text: string, notStarted = false): DrpcError => new DrpcError(text, code, { notStarted });

// The checker is worth nothing if it takes anything for true.
test("a success is true only if the handler came to its end, and all responses came", () => {
  assert.equal(wrong({}), "");
  assert.match(wrong({ received: 1 }), /succeeded with 1 of 2/);
  assert.match(wrong({ handlerFinishedAt: undefined }), /had not finished/);
  assert.match(wrong({ plan: { ...plan, handlerEnd: "error" } }), /that was to error/);
  assert.match(wrong({ abortedAt: 1_020 }), /although it was canceled before/);
  assert.equal(wrong({ abortedAt: 1_040 }), "");
});

test("a call ends once, and its handler is called once", () => {
  assert.match(wrong({ ends: 2 }), /told of the end 2 times/);
  assert.match(wrong({ ends: 0 }), /told of the end 0 times/);
  assert.match(wrong({ handlerCalls: 2 }), /called 2 times/);
});

test("errors are true only if what they say happened", () => {
  const late = failed(Code.DeadlineExceeded, "late");
  assert.match(wrong({ error: late, handlerSignalAborted: true }), /deadline has not passed after 50 ms/);
  assert.equal(wrong({ error: late, endedAt: 1_100 }), "");
  const canceled = failed(Code.Canceled, "canceled");
  assert.match(wrong({ error: canceled }), /nobody canceled it/);
  assert.match(wrong({ error: canceled, abortedAt: 1_060 }), /nobody canceled it/);
  assert.equal(wrong({ error: canceled, abortedAt: 1_040 }), "");
  const lost = failed(Code.Unavailable, "lost");
  assert.match(wrong({ error: lost }, cut), /no connection was lost/);
  assert.equal(wrong({ error: lost }, cut, { connectionEnds: [1_049] }), "");
  assert.match(wrong({ error: lost }, calm, { connectionEnds: [1_049] }), /no connection was lost/);
  assert.match(wrong({ error: failed(Code.ResourceExhausted, "full") }), /nothing in the plan leads to this/);
  assert.match(wrong({ error: failed(Code.Unknown, "/a.B/C: the handler failed") }), /did not throw/);
  assert.match(wrong({ error: new Error("x") }), /no DrpcError/);
});

test("an error that says that nothing was started is true only if no handler was called", () => {
  const refused = failed(Code.Unavailable, "refused", true);
  const ends = { connectionEnds: [1_049] };
  assert.match(wrong({ error: refused }, cut, ends), /says that it was not started/);
  assert.equal(wrong({ error: refused, handlerCalls: 0 }, cut, ends), "");
});

test("a handler that has not finished is told that its caller is gone", () => {
  const gone = { error: failed(Code.Canceled, "x"), abortedAt: 1_010, handlerFinishedAt: undefined };
  assert.match(wrong(gone), /was not told/);
  assert.equal(wrong({ ...gone, handlerSignalAborted: true }), "");
});

test("of a call on a damaged connection nothing is asked but that it ends", () => {
  assert.equal(wrong({ received: 1, error: new Error("x") }, damage), "");
  assert.match(wrong({ ends: 0 }, damage), /0 times/);
});
