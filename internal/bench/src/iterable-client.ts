// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BenchClient } from "./contender.js";
import type { Payload, PayloadSchema, SinkResponse } from "./gen/bench/v1/bench_pb.js";

type PayloadInit = MessageInitShape<typeof PayloadSchema>;

/** Options of a call, as far as the clients of all contenders have them. */
interface Options {
  readonly signal?: AbortSignal;
}

/** What clients with promises and async iterables look like: those of ts-drpc, Connect and nice-grpc. */
export interface PromiseClient {
  echo(request: PayloadInit, options?: Options): Promise<Payload>;
  source(request: { bodyBytes: number }, options?: Options): AsyncIterable<Payload>;
  sink(requests: AsyncIterable<PayloadInit>, options?: Options): Promise<SinkResponse>;
  chat(requests: AsyncIterable<PayloadInit>, options?: Options): AsyncIterable<Payload>;
}

/** Drives a client with promises and async iterables. */
export class IterableClient implements BenchClient {
  readonly #client: PromiseClient;
  readonly #options: () => Options;
  readonly #close: () => void | Promise<void>;

  /** Calls get the options that `options` returns, one set for each call. */
  constructor(client: PromiseClient, close: () => void | Promise<void>, options: () => Options = () => ({})) {
    this.#client = client;
    this.#options = options;
    this.#close = close;
  }

  async echo(body: Uint8Array): Promise<number> {
    return (await this.#client.echo({ body }, this.#options())).body.length;
  }

  async receive(bodyBytes: number, onMessage: (bodyBytes: number) => boolean): Promise<void> {
    // Not every client cancels the call when its iteration is left.
    const leave = new AbortController();
    const { signal = leave.signal, ...options } = this.#options();
    const responses = this.#client.source(
      { bodyBytes },
      { ...options, signal: AbortSignal.any([signal, leave.signal]) },
    );
    for await (const { body } of responses) {
      if (!onMessage(body.length)) {
        break;
      }
    }
    leave.abort();
  }

  async send(next: () => Uint8Array | undefined): Promise<number> {
    async function* requests(): AsyncGenerator<PayloadInit> {
      for (let body = next(); body !== undefined; body = next()) {
        yield { body };
      }
    }
    return (await this.#client.sink(requests(), this.#options())).messages;
  }

  async pingPong(body: Uint8Array, onAnswer: (bodyBytes: number) => boolean | Promise<boolean>): Promise<void> {
    let answered: (more: boolean) => void = () => undefined;
    async function* requests(): AsyncGenerator<PayloadInit> {
      let more = true;
      while (more) {
        const answer = new Promise<boolean>((resolve) => {
          answered = resolve;
        });
        yield { body };
        more = await answer;
      }
    }
    for await (const { body: answer } of this.#client.chat(requests(), this.#options())) {
      const more = onAnswer(answer.length);
      answered(typeof more === "boolean" ? more : await more);
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}
