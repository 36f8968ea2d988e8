// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { Code, DrpcError, type HandlerContext } from "@ts-drpc/core";
import type { EchoServiceHandler } from "@ts-drpc-internal/fixtures";
import { type Content, content, difference } from "./content.js";
import type { CallRecord, Journal } from "./journal.js";

/** The metadata key that says which call it is. */
export const callKey = "call";

/** The text of the error that a plan makes a handler throw for its caller. */
export function plannedError(id: number): string {
  return `the plan of call ${id} says so`;
}

/** What a plan makes a handler throw that its caller must not see. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** Serves calls as their plans say, and checks what comes. */
export class PlannedHandler implements EchoServiceHandler {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  say(request: Content, context: HandlerContext): Promise<Content> {
    return this.#one(context, only(request));
  }

  repeat(request: Content, context: HandlerContext): AsyncGenerator<Content> {
    return this.#many(context, only(request));
  }

  join(requests: AsyncIterable<Content>, context: HandlerContext): Promise<Content> {
    return this.#one(context, requests);
  }

  chat(requests: AsyncIterable<Content>, context: HandlerContext): AsyncGenerator<Content> {
    return this.#many(context, requests);
  }

  async #one(context: HandlerContext, requests: AsyncIterable<Content>): Promise<Content> {
    for await (const response of this.#many(context, requests)) {
      return response;
    }
    throw new Error("the plan gives no response");
  }

  async *#many(context: HandlerContext, requests: AsyncIterable<Content>): AsyncGenerator<Content> {
    const record = this.#record(context);
    if (record === undefined) {
      return;
    }
    const { plan } = record;
    record.handlerCalls++;
    const { signal } = context;
    signal.addEventListener("abort", () => {
      record.handlerSignalAborted = true;
    });
    try {
      const iterator = requests[Symbol.asyncIterator]();
      const single = plan.kind === "say" || plan.kind === "join";
      for (let index = 0; index < plan.responses.length; index++) {
        if (!single && index < plan.reads) {
          await this.#read(record, iterator);
        }
        if (single) {
          await this.#readRest(record, iterator);
        }
        await pause(plan.handlerPauseMs, signal);
        const response = content(plan.id, "response", index, plan.responses[index] as number);
        if (single) {
          record.handlerFinishedAt = performance.now();
        }
        yield response;
      }
      await this.#readRest(record, iterator);
      record.handlerFinishedAt = performance.now();
      if (plan.handlerEnd === "error") {
        throw new DrpcError(plannedError(plan.id), Code.DataLoss);
      }
      if (plan.handlerEnd === "throw") {
        throw new SecretError(`secret ${plan.id}`);
      }
    } finally {
      record.handlersSettled++;
    }
  }

  #record({ metadata }: HandlerContext): CallRecord | undefined {
    // Damaged metadata may name no call, or another one.
    return this.#journal.calls.get(Number(metadata.get(callKey)));
  }

  async #readRest(record: CallRecord, iterator: AsyncIterator<Content>): Promise<void> {
    while (record.handled < record.plan.reads && (await this.#read(record, iterator)));
  }

  /** Reads a request, and returns false at their end. */
  async #read(record: CallRecord, iterator: AsyncIterator<Content>): Promise<boolean> {
    const { plan } = record;
    const next = await iterator.next();
    if (next.done === true) {
      if (record.handled !== plan.requests.length || record.sourceFailed) {
        record.wrong.push(`the requests ended well after ${record.handled} of ${plan.requests.length}`);
      }
      return false;
    }
    const index = record.handled++;
    const expected = content(plan.id, "request", index, plan.requests[index] ?? 0);
    const wrong = difference(next.value, expected);
    if (wrong !== undefined) {
      record.wrong.push(`request: ${wrong}`);
    }
    return true;
  }
}

async function* only(request: Content): AsyncGenerator<Content> {
  yield request;
}

/** Waits, but not on a call that is over. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) {
    await sleep(ms, undefined, { signal });
  }
}
