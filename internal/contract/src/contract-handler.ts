// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { codeName, DrpcError, type HandlerContext, type Router } from "@ts-drpc/core";
import {
  EchoHandler,
  type EchoServiceHandler,
  type RepeatRequest,
  registerEchoService,
  type SayRequest,
} from "@ts-drpc-internal/fixtures";
import { Journal } from "./journal.js";

type Reply = { sentence: string; attachment?: Uint8Array };

/** What a server of the contract is made with: the options that every server takes. */
export interface ContractServer {
  readonly routes: (router: Router) => void;
  readonly onError: () => void;
}

/** Returns the options for a server that keeps its part of the contract. */
export function contractServer(): ContractServer {
  const handler = new ContractHandler();
  return { routes: (router) => registerEchoService(router, handler), onError: () => undefined };
}

/**
 * ContractHandler repeats what it hears, unless the metadata of a call says
 * what else to `do`. What becomes of such a call is noted under its `key`, for
 * other calls to ask, so that a server in another process can be watched too.
 */
class ContractHandler implements EchoServiceHandler {
  readonly #echo = new EchoHandler();
  readonly #journal = new Journal();

  async say(request: SayRequest, context: HandlerContext): Promise<Reply> {
    const { sentence } = request;
    switch (context.metadata.get("do")) {
      case "fail":
        throw failure(sentence, context);
      case "throw":
        throw new Error(sentence);
      case "hang":
        return this.#hang(context);
      case "show metadata":
        return { sentence: JSON.stringify([...context.metadata].map(([key, value]) => [key, show(value)])) };
      case "note":
        this.#journal.note(sentence, "noted");
        return { sentence: "" };
      case "read":
        return { sentence: await this.#journal.read(sentence) };
      case "count":
        return { sentence: String(this.#journal.count(sentence)) };
      default:
        return this.#echo.say(request, context);
    }
  }

  async *repeat(request: RepeatRequest, context: HandlerContext): AsyncGenerator<Reply> {
    const { sentence } = request;
    switch (context.metadata.get("do")) {
      case "fail":
        yield* this.#echo.repeat(request);
        throw failure(sentence, context);
      case "hang":
        yield { sentence };
        return await this.#hang(context);
      case "count":
        yield* this.#counted(this.#echo.repeat(request), context);
        return;
      default:
        yield* this.#echo.repeat(request);
    }
  }

  async join(requests: AsyncIterable<SayRequest>, context: HandlerContext): Promise<Reply> {
    switch (context.metadata.get("do")) {
      case "fail":
        throw failure("join", context);
      case "hang":
        return this.#hang(context);
      case "wait":
        await this.#journal.read(`${keyOf(context)} opened`);
        return { sentence: String((await this.#echo.join(requests)).sentence.length) };
      default:
        return this.#echo.join(requests);
    }
  }

  async *chat(requests: AsyncIterable<SayRequest>, context: HandlerContext): AsyncGenerator<Reply> {
    switch (context.metadata.get("do")) {
      case "fail":
        throw failure("chat", context);
      case "hang":
        yield { sentence: "" };
        return await this.#hang(context);
      default:
        yield* this.#echo.chat(requests);
    }
  }

  /** Counts the call, waits for its end, and notes how it came. */
  #hang(context: HandlerContext): Promise<never> {
    const key = keyOf(context);
    const { signal } = context;
    return new Promise((_, reject) => {
      const ended = (): void => {
        const reason: unknown = signal.reason;
        this.#journal.note(`${key} ended`, reason instanceof DrpcError ? codeName(reason.code) : String(reason));
        reject(reason);
      };
      if (signal.aborted) {
        ended();
      }
      signal.addEventListener("abort", ended, { once: true });
      this.#journal.add(key);
      this.#journal.note(`${key} started`, "");
    });
  }

  async *#counted(replies: AsyncIterable<Reply>, context: HandlerContext): AsyncGenerator<Reply> {
    const key = keyOf(context);
    try {
      for await (const reply of replies) {
        this.#journal.add(key);
        yield reply;
      }
    } finally {
      this.#journal.note(`${key} left`, "");
    }
  }
}

function keyOf({ metadata }: HandlerContext): string {
  return metadata.get("key") ?? "";
}

function failure(text: string, { metadata }: HandlerContext): DrpcError {
  return new DrpcError(text, Number(metadata.get("code")));
}

function show(value: string | Uint8Array): string | number[] {
  return typeof value === "string" ? value : [...value];
}
