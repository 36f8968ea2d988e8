// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, DrpcError } from "@ts-drpc/core";
import type { CallRecord, Journal } from "./journal.js";
import { plannedSourceError } from "./planned-call.js";
import { plannedError } from "./planned-handler.js";
import type { Scenario } from "./scenario.js";

/** How a call ended, for the table. */
export type Outcome = "success" | "planned" | "canceled" | "deadline" | "unavailable" | "damaged";

/** What a call came to. */
export interface Judgement {
  readonly outcome: Outcome;

  /** What is not as it must be. */
  readonly wrong: readonly string[];
}

// A connection that is lost is noticed on its two ends, and by its calls, at different moments.
const noticeMs = 1_000;

/** Says whether what a caller was told is true, as far as that can be known from the plan and from what the other side did. */
export function judge(record: CallRecord, journal: Journal, scenario: Scenario): Judgement {
  if (record.ends !== 1) {
    return { outcome: "damaged", wrong: [`the caller was told of the end ${record.ends} times`] };
  }
  if (scenario.damages) {
    // A flipped bit may mean anything. That all ends, and nothing breaks, is all that can be asked.
    return { outcome: "damaged", wrong: [] };
  }
  const wrong = [...record.wrong];
  const { plan } = record;
  if (record.handlerCalls > 1) {
    wrong.push(`the handler was called ${record.handlerCalls} times`);
  }
  if (record.error === undefined) {
    if (record.left) {
      return { outcome: "planned", wrong: [...wrong, ...judgeHandler(record)] };
    }
    if (
      record.handlerFinishedAt === undefined ||
      plan.handlerEnd !== "return" ||
      record.received !== plan.responses.length
    ) {
      wrong.push(
        `it succeeded with ${record.received} of ${plan.responses.length} responses, from a handler that was to ${plan.handlerEnd}, and ${record.handlerFinishedAt !== undefined ? "had finished" : "had not finished"}`,
      );
    }
    // A call that was not over then is over at once.
    if (record.abortedAt !== undefined && (record.handlerFinishedAt ?? 0) > record.abortedAt) {
      wrong.push("it succeeded although it was canceled before its handler had finished");
    }
    return { outcome: "success", wrong };
  }
  const { error } = record;
  if (!(error instanceof DrpcError)) {
    return { outcome: "damaged", wrong: [...wrong, `it failed with what is no DrpcError: ${String(error)}`] };
  }
  if (error.notStarted && record.handlerCalls > 0) {
    wrong.push("the error says that it was not started, but the handler was called");
  }
  const { outcome, untrue } = judgeError(error, record, journal, scenario);
  if (untrue !== undefined) {
    wrong.push(`${untrue}: ${error.message}`);
  }
  return { outcome, wrong: [...wrong, ...judgeHandler(record)] };
}

/** A handler whose caller is gone is told so. */
function judgeHandler({ handlerCalls, handlerFinishedAt, handlerSignalAborted }: CallRecord): string[] {
  return handlerCalls > 0 && handlerFinishedAt === undefined && !handlerSignalAborted
    ? ["the call is over, and its handler, which had not finished, was not told"]
    : [];
}

function judgeError(
  error: DrpcError,
  record: CallRecord,
  journal: Journal,
  scenario: Scenario,
): { outcome: Outcome; untrue: string | undefined } {
  const { plan } = record;
  const { rawMessage } = error;
  const fromHandler = record.handlerFinishedAt !== undefined && record.received === plan.responses.length;
  const verdict = (
    outcome: Outcome,
    isTrue: boolean,
    untrue: string,
  ): { outcome: Outcome; untrue: string | undefined } => ({
    outcome,
    untrue: isTrue ? undefined : untrue,
  });
  if (error.code === Code.DataLoss && rawMessage === plannedError(plan.id)) {
    return verdict("planned", plan.handlerEnd === "error" && fromHandler, "the handler did not fail, or not yet");
  }
  if (error.code === Code.Unknown && rawMessage.endsWith("the handler failed")) {
    return verdict("planned", plan.handlerEnd === "throw" && fromHandler, "the handler did not throw, or not yet");
  }
  if (error.code === Code.Aborted && rawMessage === plannedSourceError(plan.id)) {
    return verdict("planned", record.sourceFailed, "the requests did not fail");
  }
  const endedAt = record.endedAt as number;
  switch (error.code) {
    case Code.Canceled: {
      const byCaller = record.abortedAt !== undefined && record.abortedAt <= endedAt;
      const byClose = journal.transportClosedAt !== undefined && journal.transportClosedAt <= endedAt;
      return verdict("canceled", byCaller || byClose, "nobody canceled it");
    }
    case Code.DeadlineExceeded: {
      const passed = plan.timeoutMs !== undefined && endedAt - record.beganAt >= plan.timeoutMs;
      return verdict("deadline", passed, `its deadline has not passed after ${endedAt - record.beganAt} ms`);
    }
    case Code.Unavailable: {
      const lost = journal.connectionEnds.some(
        (at) => at >= record.beganAt - noticeMs && at <= endedAt + noticeMs && scenario.endsConnections,
      );
      return verdict("unavailable", lost, "no connection was lost");
    }
    default:
      return verdict("damaged", false, "nothing in the plan leads to this");
  }
}
