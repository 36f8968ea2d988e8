// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Stream } from "../session/stream.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";

/** What takes messages: a stream of a session, or its like in another protocol. */
export type MessageSink = Pick<Stream, "send" | "closeSend" | "terminated">;

/** How to make a {@link MessagePump}. */
export interface MessagePumpInit<T> {
  readonly stream: MessageSink;
  readonly source: AsyncIterable<T> | Iterable<T>;
  readonly encode: (message: T) => Uint8Array;

  /** The source is through, and nothing has been said of it yet. What this throws counts as thrown by the source. */
  readonly ending?: (() => void) | undefined;

  /** The source threw, or gave something that cannot be sent. */
  readonly failed: (reason: unknown) => void;

  /** The source is through, or was told to stop, and its iterator has settled. */
  readonly settled?: (() => void) | undefined;
}

/**
 * Sends what an iterable gives, one message after the other, as fast as the
 * peer takes them, and says at its end that no more come.
 *
 * It never rejects: what goes wrong goes to `failed`.
 */
export class MessagePump<T> {
  readonly #init: MessagePumpInit<T>;
  #iterator: AsyncIterator<T> | Iterator<T> | undefined;
  #stopped = false;
  #cleanup: Promise<unknown> | undefined;

  constructor(init: MessagePumpInit<T>) {
    this.#init = init;
  }

  /** Starts to send. What a synchronous iterable gives goes out at once, as far as there is room. */
  start(): void {
    const { source } = this.#init;
    try {
      if (Symbol.asyncIterator in source) {
        this.#iterator = source[Symbol.asyncIterator]();
        void this.#sendAsync(this.#iterator);
      } else {
        this.#iterator = source[Symbol.iterator]();
        this.#sendSync(this.#iterator);
      }
    } catch (reason) {
      this.#broke(reason);
    }
  }

  /** Stops: the stream takes no more. The source is told, with the reason if there is one, so that it can clean up. */
  stop(reason?: DrpcError): void {
    if (this.#stopped) {
      return;
    }
    this.#stopped = true;
    try {
      // A generator that is waiting for something only returns when that has come; whether it cleans up
      // well then changes nothing any more.
      const returned: unknown = this.#iterator?.return?.(reason);
      this.#cleanup = Promise.resolve(returned).catch(() => undefined);
    } catch {
      // The call is over; a source that fails to clean up cannot change how it ended.
    }
  }

  #sendSync(iterator: Iterator<T>): void {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      const accepted = this.#init.stream.send(this.#init.encode(next.value));
      if (accepted !== undefined) {
        accepted.then(() => this.#resumeSync(iterator)).catch((reason) => this.#broke(reason));
        return;
      }
    }
    this.#done();
  }

  #resumeSync(iterator: Iterator<T>): void {
    if (this.#stopped) {
      this.#done();
    } else {
      this.#sendSync(iterator);
    }
  }

  async #sendAsync(iterator: AsyncIterator<T>): Promise<void> {
    const { stream, encode } = this.#init;
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        if (this.#stopped) {
          break;
        }
        const accepted = stream.send(encode(next.value));
        if (accepted !== undefined) {
          await accepted;
        }
      }
      this.#done();
    } catch (reason) {
      this.#broke(reason);
    }
  }

  /** The source is through. */
  #done(): void {
    if (!this.#stopped) {
      this.#init.ending?.();
    }
    this.#stopped = true;
    this.#init.stream.closeSend();
    this.#settle();
  }

  /** Says so once the source has cleaned up too, if it was told to. */
  #settle(): void {
    const { settled } = this.#init;
    if (settled === undefined) {
      return;
    }
    if (this.#cleanup === undefined) {
      settled();
    } else {
      void this.#cleanup.then(settled);
    }
  }

  /** The source threw, or the stream took no more. */
  #broke(reason: unknown): void {
    const { stream, failed } = this.#init;
    const mattered = !this.#stopped && !stream.terminated;
    this.stop();
    if (mattered) {
      failed(reason);
    }
    this.#settle();
  }
}

/** Tells a source that nobody is going to read from it. */
export function dismiss(source: AsyncIterable<unknown> | Iterable<unknown>, reason: DrpcError): void {
  try {
    if (Symbol.asyncIterator in source) {
      void Promise.resolve(source[Symbol.asyncIterator]().return?.(reason)).catch(() => undefined);
    }
  } catch {
    // The call has failed already, and a source that fails too cannot change how.
  }
}
