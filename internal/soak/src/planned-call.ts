// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { type CallOptions, Code, DrpcError } from "@ts-drpc/core";
import type { EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { type Content, content, difference } from "./content.js";
import type { CallRecord } from "./journal.js";
import { callKey } from "./planned-handler.js";

/** The text of the error that a plan makes the requests of a call fail with. */
export function plannedSourceError(id: number): string {
  return `the requests of call ${id} fail, as its plan says`;
}

/** Makes a call as its plan says, and keeps what becomes of it. Never rejects. */
export async function makeCall(client: EchoServiceClient, record: CallRecord): Promise<void> {
  const { plan } = record;
  await sleep(plan.startMs);
  const controller = new AbortController();
  record.beganAt = performance.now();
  const aborting =
    plan.abortsAfterMs === undefined
      ? undefined
      : setTimeout(() => {
          record.abortedAt = performance.now();
          controller.abort();
        }, plan.abortsAfterMs);
  const options: CallOptions = {
    metadata: { [callKey]: String(plan.id) },
    timeoutMs: plan.timeoutMs,
    ...(plan.abortsAfterMs === undefined ? {} : { signal: controller.signal }),
  };
  try {
    await run(client, record, options);
  } catch (error) {
    record.error = error;
  } finally {
    clearTimeout(aborting);
    record.endedAt = performance.now();
    record.ends++;
  }
}

async function run(client: EchoServiceClient, record: CallRecord, options: CallOptions): Promise<void> {
  const { plan } = record;
  const first = content(plan.id, "request", 0, plan.requests[0] ?? 0);
  switch (plan.kind) {
    case "say":
      receive(record, await client.say(first, options));
      return;
    case "join":
      receive(record, await client.join(requests(record), options));
      return;
    case "repeat":
      return readAll(record, client.repeat({ ...first, times: 0 }, options));
    case "chat":
      return readAll(record, client.chat(requests(record), options));
  }
}

async function readAll(record: CallRecord, responses: AsyncIterable<Content>): Promise<void> {
  const { leavesAfter, callerPauseMs } = record.plan;
  for await (const response of responses) {
    receive(record, response);
    if (record.received === leavesAfter) {
      record.left = true;
      return;
    }
    if (callerPauseMs > 0) {
      await sleep(callerPauseMs);
    }
  }
}

function receive(record: CallRecord, response: Content): void {
  const { id, responses } = record.plan;
  const index = record.received++;
  const wrong =
    index < responses.length
      ? difference(response, content(id, "response", index, responses[index] as number))
      : `there are only ${responses.length}`;
  if (wrong !== undefined) {
    record.wrong.push(`response: ${wrong}`);
  }
}

async function* requests(record: CallRecord): AsyncGenerator<Content> {
  const { plan } = record;
  for (let index = 0; index <= plan.requests.length; index++) {
    if (index === plan.sourceFailsAfter) {
      record.sourceFailed = true;
      throw new DrpcError(plannedSourceError(plan.id), Code.Aborted);
    }
    if (index < plan.requests.length) {
      if (plan.callerPauseMs > 0) {
        await sleep(plan.callerPauseMs);
      }
      yield content(plan.id, "request", index, plan.requests[index] as number);
    }
  }
  record.sourceFinished = true;
}
