// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";

type Init = MessageInitShape<DescMessage>;
type Message = MessageShape<DescMessage>;

/** Makes messages, which interceptors are promised, of what initializes them. */
export function createEach(desc: DescMessage, inits: AsyncIterable<Init> | Iterable<Init>): AsyncIterable<Message> {
  return Symbol.asyncIterator in Object(inits)
    ? new CreatedMessages(desc, inits as AsyncIterable<Init>)
    : createEachOf(desc, inits);
}

async function* createEachOf(desc: DescMessage, inits: AsyncIterable<Init> | Iterable<Init>): AsyncGenerator<Message> {
  for await (const init of inits) {
    yield create(desc, init);
  }
}

/** It is no generator, which would settle four promises for each message. */
class CreatedMessages implements AsyncIterableIterator<Message> {
  readonly #inits: AsyncIterable<Init>;
  readonly #create: (result: IteratorResult<Init>) => IteratorResult<Message> | Promise<never>;
  #iterator: AsyncIterator<Init> | undefined;

  constructor(desc: DescMessage, inits: AsyncIterable<Init>) {
    this.#inits = inits;
    this.#create = (result) => {
      if (result.done === true) {
        return { done: true, value: undefined };
      }
      try {
        return { done: false, value: create(desc, result.value) };
      } catch (reason) {
        return this.#leave(reason);
      }
    };
  }

  next(): Promise<IteratorResult<Message>> {
    try {
      return Promise.resolve(this.#begin().next()).then(this.#create);
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  async return(reason?: unknown): Promise<IteratorResult<Message>> {
    await this.#begin().return?.(reason);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): AsyncIterator<Init> {
    this.#iterator ??= this.#inits[Symbol.asyncIterator]();
    return this.#iterator;
  }

  /** What came is no message, and nobody asks for more of it. */
  async #leave(reason: unknown): Promise<never> {
    try {
      await this.#iterator?.return?.();
    } catch {
      // What went wrong first is what matters.
    }
    throw reason;
  }
}
