// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { owned } from "../wire/owned.js";

/** How to make a {@link ReceiveQueue}. */
export interface ReceiveQueueInit<T> {
  readonly decode: (body: Uint8Array) => T;

  /** A message could not be decoded. The returned error is what the reader gets, and nothing follows it. */
  readonly undecodable: (reason: unknown) => DrpcError;

  /** The reader left before the end. */
  readonly abandoned: () => void;

  /** See {@link StreamReceiver}. */
  readonly terminated: (cause: DrpcError | undefined) => void;

  /** Is told of the server's metadata, if anybody wants to know: of a Trailer when all messages have been read. */
  readonly metadata?: Pick<Required<StreamReceiver>, "header" | "trailer"> | undefined;
  /** The first message came, or metadata ahead of it. */
  readonly begun?: (() => void) | undefined;

  /**
   * There was an error before anything else. Returns what the reader is
   * told, or undefined if messages will come of another stream instead.
   */
  readonly outcome?: ((error: DrpcError) => DrpcError | undefined) | undefined;

  /** The peer sends no more. */
  readonly ended?: ((error: DrpcError | undefined) => void) | undefined;
}

/** Where messages come from: a stream, or its like in another protocol, which need not know that one is waited for. */
export type MessageSource = Pick<Stream, "consume"> & Partial<Pick<Stream, "messageWanted">>;

interface Reader<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: DrpcError): void;
}

// Consumed places at the front of the queue are given back when there are this many.
const maxConsumedPlaces = 1_024;

/**
 * The messages of a stream, to be read one by one. What bounds it is the
 * stream's window: a message counts until it is taken from here.
 *
 * Messages are decoded when they are taken, and those that came before an
 * error are delivered before it.
 */
export class ReceiveQueue<T> implements StreamReceiver, AsyncIterableIterator<T> {
  readonly #init: ReceiveQueueInit<T>;
  #stream: MessageSource | undefined;
  #bodies: Uint8Array[] = [];
  #next = 0;
  #begun = false;
  #readers: Reader<T>[] = [];
  #ended = false;
  #trailer: MetadataEntries | undefined;
  #error: DrpcError | undefined;

  constructor(init: ReceiveQueueInit<T>) {
    this.#init = init;
  }

  /** Says which stream the messages come from. A queue may be read before there is one. */
  attach(stream: MessageSource): this {
    this.#stream = stream;
    return this;
  }

  /** True for a reader that has left, too: what comes is thrown away, and holds up nobody. */
  get wantsMessage(): boolean {
    return this.#ended || this.#readers.length > 0;
  }

  header(metadata: MetadataEntries): void {
    this.#begin();
    this.#init.metadata?.header(metadata);
  }

  trailer(metadata: MetadataEntries): void {
    this.#trailer = metadata;
  }

  message(body: Uint8Array): void {
    if (this.#ended) {
      this.#stream?.consume(body.length);
      return;
    }
    this.#begin();
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#bodies.push(owned(body));
    } else {
      this.#deliver(body, reader);
    }
  }

  end(error: DrpcError | undefined): void {
    if (this.#ended) {
      return;
    }
    let outcome = error;
    if (error !== undefined && !this.#begun && this.#init.outcome !== undefined) {
      outcome = this.#init.outcome(error);
      if (outcome === undefined) {
        this.#trailer = undefined;
        return;
      }
    }
    this.#finish(outcome);
    this.#init.ended?.(outcome);
  }

  terminated(cause: DrpcError | undefined): void {
    this.#init.terminated(cause);
  }

  /** Ends the queue at once: what waits in it is dropped, and the reader gets the error. */
  fail(error: DrpcError): void {
    this.#drop();
    this.#ended = false;
    this.#finish(error);
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      const body = this.#bodies[this.#next];
      if (body !== undefined) {
        this.#advance();
        this.#deliver(body, reader);
      } else if (this.#ended) {
        this.#deliverEnd(reader);
      } else {
        this.#readers.push(reader);
        this.#stream?.messageWanted?.();
      }
    });
  }

  /** The reader leaves, as by `break`. */
  return(): Promise<IteratorResult<T>> {
    this.#drop();
    const early = !this.#ended;
    this.#finish(undefined);
    this.#error = undefined;
    if (early) {
      this.#init.abandoned();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Something came that the reader gets, so the call cannot be made again any more. */
  #begin(): void {
    if (!this.#begun) {
      this.#begun = true;
      this.#init.begun?.();
    }
  }

  #deliver(body: Uint8Array, reader: Reader<T>): void {
    this.#stream?.consume(body.length);
    let value: T;
    try {
      value = this.#init.decode(body);
    } catch (reason) {
      const error = this.#init.undecodable(reason);
      this.fail(error);
      this.#deliverEnd(reader);
      return;
    }
    reader.resolve({ done: false, value });
  }

  #deliverEnd(reader: Reader<T>): void {
    this.#tellTrailer();
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) {
      reader.resolve({ done: true, value: undefined });
    } else {
      reader.reject(error);
    }
  }

  /** It may throw in what it calls, which then is the error that is delivered. */
  #tellTrailer(): void {
    const trailer = this.#trailer;
    this.#trailer = undefined;
    if (trailer !== undefined) {
      this.#init.metadata?.trailer(trailer);
    }
  }

  #finish(error: DrpcError | undefined): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#error = error;
    this.#stream?.messageWanted?.();
    for (const reader of this.#readers.splice(0)) {
      this.#deliverEnd(reader);
    }
  }

  #advance(): void {
    this.#bodies[this.#next++] = undefined as never;
    if (this.#next === this.#bodies.length) {
      this.#bodies = [];
      this.#next = 0;
    } else if (this.#next === maxConsumedPlaces) {
      this.#bodies.splice(0, this.#next);
      this.#next = 0;
    }
  }

  #drop(): void {
    for (let body = this.#bodies[this.#next]; body !== undefined; body = this.#bodies[this.#next]) {
      this.#advance();
      this.#stream?.consume(body.length);
    }
  }
}
