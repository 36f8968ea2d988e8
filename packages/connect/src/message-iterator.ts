// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, DrpcError } from "@ts-drpc/core";
import { dismiss } from "@ts-drpc/core/adapter";

type Source<T> = AsyncIterable<T> | Iterable<T>;

/** How to make a {@link MessageIterator}. */
export interface MessageIteratorInit<T> {
  /** Returns what to iterate over. Called once, when the first message is asked for. */
  readonly open: () => Source<T> | Promise<Source<T>>;

  /** Returns a message as the reader gets it. */
  readonly message?: ((message: T) => T) | undefined;

  /** The source is through. What this throws, the reader gets. */
  readonly ended?: (() => void) | undefined;

  /** Returns what the reader gets for what the source, or one of the above, threw. */
  readonly failure: (reason: unknown) => unknown;

  /** Nothing is read any more. Called once. */
  readonly over?: (() => void) | undefined;
}

/**
 * Passes on the messages of another iterable, one when one is asked for.
 *
 * It is no generator: one that waits for a message passes on that its reader
 * left only when that has come.
 */
export class MessageIterator<T> implements AsyncIterableIterator<T> {
  readonly #init: MessageIteratorInit<T>;
  readonly #readers = new Set<(reason: unknown) => void>();
  #opened: Promise<AsyncIterator<T> | Iterator<T> | undefined> | undefined;
  #iterator: AsyncIterator<T> | Iterator<T> | undefined;
  #over = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(init: MessageIteratorInit<T>) {
    this.#init = init;
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      const failure = this.#failure;
      if (failure !== undefined) {
        this.#failure = undefined;
        reject(failure.reason);
      } else if (this.#over) {
        resolve({ done: true, value: undefined });
      } else {
        this.#readers.add(reject);
        this.#pull()
          .then(resolve, reject)
          .finally(() => this.#readers.delete(reject));
      }
    });
  }

  /** True once a message was asked for: only then is there a source. */
  get begun(): boolean {
    return this.#opened !== undefined;
  }

  /** The reader leaves. The source is told, with the reason if there is one, so that it can clean up. */
  return(reason?: unknown): Promise<IteratorResult<T>> {
    this.#leave(reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The reader leaves, for a reason of its own. */
  throw(reason?: unknown): Promise<IteratorResult<T>> {
    this.#leave(reason);
    return Promise.reject(reason);
  }

  /** Ends the iteration from outside, whether or not the source has heard of it. */
  fail(reason: unknown): void {
    if (this.#over) {
      return;
    }
    if (this.#readers.size === 0) {
      this.#failure = { reason };
    }
    for (const reject of this.#readers) {
      reject(reason);
    }
    this.#leave(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pull(): Promise<IteratorResult<T>> {
    try {
      this.#opened ??= this.#open();
      const iterator = await this.#opened;
      const result = await iterator?.next();
      if (result === undefined || this.#over) {
        return { done: true, value: undefined };
      }
      if (result.done !== true) {
        return { done: false, value: this.#init.message?.(result.value) ?? result.value };
      }
      this.#iterator = undefined;
      this.#init.ended?.();
      this.#leave();
      return { done: true, value: undefined };
    } catch (reason) {
      const failure = this.#init.failure(reason);
      this.#leave();
      throw failure;
    }
  }

  async #open(): Promise<AsyncIterator<T> | Iterator<T> | undefined> {
    const source = await this.#init.open();
    if (this.#over) {
      dismiss(source, new DrpcError("the call ended before its messages were read", Code.Canceled));
      return undefined;
    }
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    return this.#iterator;
  }

  #leave(reason?: unknown): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    try {
      void Promise.resolve(this.#iterator?.return?.(reason)).catch(() => undefined);
    } catch {
      // A source that fails to clean up cannot change how its iteration ended.
    }
    this.#init.over?.();
  }
}
