// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { HandlerContext } from "@ts-drpc/core";
import type { EchoServiceHandler, RepeatRequest, SayRequest } from "@ts-drpc-internal/fixtures";

/** The metadata key by which a caller chooses how the handler behaves. */
export const behaviourKey = "behaviour";

/** The metadata key by which the good client says who it is. */
export const userKey = "user";

/** What handlers did for all callers but the good client. */
export interface HandlerJournal {
  /** How many were called. */
  started: number;

  /** How many of them have come to an end. */
  settled: number;

  /** The most that ran at once. */
  mostRunning: number;
}

type Message = { sentence: string; attachment: Uint8Array };

/** The echo service, with handlers that have every fault a handler can have, if their caller asks for it. */
export class VictimHandler implements EchoServiceHandler {
  readonly journal: HandlerJournal = { started: 0, settled: 0, mostRunning: 0 };
  #stuck: (() => void)[] = [];

  /** Lets all handlers go on that ignore their signal. */
  release(): void {
    for (const goOn of this.#stuck.splice(0)) {
      goOn();
    }
  }

  async say({ sentence, attachment }: SayRequest, context: HandlerContext): Promise<Message> {
    return this.#run(context, async () => {
      await this.#behave(context);
      return { sentence, attachment };
    });
  }

  /** For `times` below zero it never ends. */
  repeat({ sentence, times, attachment }: RepeatRequest, context: HandlerContext): AsyncIterable<Message> {
    return faultyIterable(context) ?? this.#repeat(sentence, times, attachment, context);
  }

  async join(requests: AsyncIterable<SayRequest>, context: HandlerContext): Promise<{ sentence: string }> {
    return this.#run(context, async () => {
      await this.#behave(context);
      let bytes = 0;
      for await (const { sentence } of requests) {
        bytes += sentence.length;
      }
      return { sentence: `${bytes}` };
    });
  }

  async *chat(requests: AsyncIterable<SayRequest>, context: HandlerContext): AsyncGenerator<Message> {
    this.#begin(context);
    try {
      await this.#behave(context);
      for await (const { sentence, attachment } of requests) {
        yield { sentence, attachment };
      }
    } finally {
      this.#end(context);
    }
  }

  async *#repeat(
    sentence: string,
    times: number,
    attachment: Uint8Array,
    context: HandlerContext,
  ): AsyncGenerator<Message> {
    this.#begin(context);
    try {
      await this.#behave(context);
      for (let count = 0; times < 0 || count < times; count++) {
        yield { sentence, attachment };
      }
    } finally {
      this.#end(context);
    }
  }

  async #run<T>(context: HandlerContext, serve: () => Promise<T>): Promise<T> {
    this.#begin(context);
    try {
      return await serve();
    } finally {
      this.#end(context);
    }
  }

  #begin(context: HandlerContext): void {
    if (context.metadata.has(userKey)) {
      return;
    }
    this.journal.started++;
    this.journal.mostRunning = Math.max(this.journal.mostRunning, this.journal.started - this.journal.settled);
  }

  #end(context: HandlerContext): void {
    if (!context.metadata.has(userKey)) {
      this.journal.settled++;
    }
    if (behaviourOf(context) === "throws in finally") {
      throw new Error("thrown in finally");
    }
  }

  async #behave(context: HandlerContext): Promise<void> {
    const behaviour = behaviourOf(context);
    if (behaviour === "ignores its signal") {
      await new Promise<void>((resolve) => this.#stuck.push(resolve));
    } else if (behaviour === "waits for its signal") {
      await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
    } else if (behaviour === "throws") {
      throw new Error("secret of the handler");
    } else if (behaviour === "rejects with undefined") {
      await Promise.reject();
    } else if (behaviour === "rejects with an object that throws") {
      throw hostileReason;
    }
  }
}

function behaviourOf(context: HandlerContext): string | undefined {
  return context.metadata.get(behaviourKey);
}

const hostileReason = {
  get message(): string {
    throw new Error("a getter that throws");
  },
  toString(): string {
    throw new Error("a toString that throws");
  },
};

/** What a handler without types may return for a stream of responses. */
function faultyIterable(context: HandlerContext): AsyncIterable<Message> | undefined {
  const iterator = (members: object): AsyncIterable<Message> => ({ [Symbol.asyncIterator]: () => members as never });
  switch (behaviourOf(context)) {
    case "throws at once":
      throw new Error("thrown at once");
    case "returns no iterable":
      return 7 as never;
    case "yields no message":
      return iterator({ next: async () => ({ done: false, value: "text" }) });
    case "returns an iterator whose return throws":
      return iterator({
        next: () => new Promise(() => undefined),
        return: () => {
          throw new Error("thrown by return");
        },
      });
    case "returns an iterator whose return rejects":
      return iterator({
        next: () => new Promise(() => undefined),
        return: () => Promise.reject(new Error("rejected by return")),
      });
    default:
      return undefined;
  }
}
