// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";

interface Pushed<T> {
  readonly message: T;
  readonly taken: () => void;
  readonly dropped: (reason: unknown) => void;
}

/**
 * PushStream is an iterable to push messages into, for those who do not want
 * to write a generator: the requests of a call, or the responses of a handler.
 *
 * @example
 * const requests = new PushStream<SayRequest>();
 * const replies = echo.chat(requests);
 * await requests.send({ sentence: "hi" });
 * requests.close();
 */
export class PushStream<T> implements AsyncIterableIterator<T> {
  readonly #pushed: Pushed<T>[] = [];
  readonly #readers: { resolve(result: IteratorResult<T>): void; reject(reason: unknown): void }[] = [];
  #closed = false;
  #failure: { readonly reason: unknown } | undefined;
  #left: unknown;

  /**
   * Pushes a message. Resolves when it was taken, which a call does as soon as
   * the peer has room for it: wait for that, and memory stays bounded.
   *
   * Rejects if the stream is closed, or its reader left: with the error of the
   * call, if that failed.
   */
  send(message: T): Promise<void> {
    if (this.#closed) {
      return Promise.reject(
        this.#left ?? this.#failure?.reason ?? closed("the stream is closed, nothing can be sent on it"),
      );
    }
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: message });
      return Promise.resolve();
    }
    const accepted = new Promise<void>((taken, dropped) => {
      this.#pushed.push({ message, taken, dropped });
    });
    // A sender that does not wait must not bring down the process when its reader leaves.
    accepted.catch(() => undefined);
    return accepted;
  }

  /** Says that no more messages come. Those that wait are still delivered. */
  close(): void {
    this.#end(undefined);
  }

  /** Says that no more messages come, because of a failure. Those that wait are still delivered, then the reason is. */
  fail(reason: unknown): void {
    this.#end({ reason });
  }

  next(): Promise<IteratorResult<T>> {
    const pushed = this.#pushed.shift();
    if (pushed !== undefined) {
      pushed.taken();
      return Promise.resolve({ done: false, value: pushed.message });
    }
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.#closed) {
        this.#deliverEnd(reader);
      } else {
        this.#readers.push(reader);
      }
    });
  }

  /** The reader leaves. An error that it leaves with is what the sender gets. */
  return(reason?: unknown): Promise<IteratorResult<T>> {
    this.#end(undefined);
    this.#failure = undefined;
    this.#left ??= reason instanceof Error ? reason : closed("the reader left, nothing more is taken");
    for (const { dropped } of this.#pushed.splice(0)) {
      dropped(this.#left);
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The reader leaves because of a failure, which is what the sender gets if it is an error. Rejects with it. */
  async throw(reason?: unknown): Promise<IteratorResult<T>> {
    await this.return(reason);
    throw reason;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(failure: { readonly reason: unknown } | undefined): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#failure = failure;
    for (const reader of this.#readers.splice(0)) {
      this.#deliverEnd(reader);
    }
  }

  #deliverEnd(reader: { resolve(result: IteratorResult<T>): void; reject(reason: unknown): void }): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) {
      reader.resolve({ done: true, value: undefined });
    } else {
      reader.reject(failure.reason);
    }
  }
}

function closed(text: string): DrpcError {
  return new DrpcError(text, Code.Canceled);
}
