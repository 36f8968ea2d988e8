// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { wholeNumber } from "../session/session-options.js";
import type { CallOptions } from "../vocabulary/call-options.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import { object, optionalCallable } from "../vocabulary/option-values.js";
import type { RetryOptions } from "../vocabulary/retry-options.js";
import type { CompressionOffer } from "./call-compression.js";
import { CallMaker, type CallMakerOptions } from "./call-maker.js";
import { type ChannelOptions, createChannel } from "./channel.js";
import { checkCompression } from "./compression-set.js";
import type { StreamResponse, UnaryResponse } from "./interceptor.js";
import type { PeerKind } from "./pooled-sessions.js";
import { RetryPolicy } from "./retry-policy.js";
import type { SessionSource } from "./session-source.js";
import { callStream } from "./stream-call.js";
import type { Dial, TargetResolver } from "./target.js";
import type { StreamingMethod, Transport, TransportCloseOptions, UnaryMethod } from "./transport.js";
import { StateTeller, type TransportState } from "./transport-state.js";
import { callUnary, encodeRequest } from "./unary-call.js";

/** Options of a transport over connections that it dials. */
export interface SessionTransportOptions extends ChannelOptions, CallMakerOptions {
  /**
   * Compresses the messages of calls, in both directions, with a compression
   * such as those of `@ts-drpc/compression`.
   *
   * With `peer: "auto"` it is used towards servers of ts-drpc that have it
   * among their `compressions`, from the second call of a connection on. With
   * `multiplexed` it is used in every call, as CockroachDB's servers do not
   * say what they know. `sequential` peers know none, and it is a RangeError.
   *
   * `maxMessageBytes` holds for a message as it is and as it is sent. Defaults
   * to no compression.
   */
  readonly compression?: MessageCompression | undefined;

  /** Whether and how calls are made again that failed. Defaults to those alone that were not started. */
  readonly retry?: RetryOptions | undefined;

  /** Is told when the transport's state becomes another one. What it throws goes to `console.error`. */
  readonly onStateChange?: ((state: TransportState) => void) | undefined;
}

/** A transport over connections that it makes itself. */
export interface SessionTransport extends Transport {
  /** Whether the transport is connected, and what hinders it. */
  readonly state: TransportState;
}

/**
 * Creates a transport over connections that it makes by `dial`, or to the
 * targets that a resolver finds. It connects when there is a call and no
 * connection, and again when that was lost. `dial` rejects with a DrpcError
 * if there is none to be had.
 *
 * Throws a RangeError or TypeError that names the option if one has a wrong value.
 */
export function createSessionTransport(
  dial: Dial | TargetResolver,
  options: SessionTransportOptions = {},
): SessionTransport {
  return new PooledTransport(dial, options);
}

class PooledTransport implements SessionTransport {
  readonly #source: SessionSource;
  readonly #state: StateTeller;
  readonly #calls: CallMaker;

  constructor(dial: Dial | TargetResolver, options: SessionTransportOptions) {
    const { onStateChange } = object("options", options);
    this.#state = new StateTeller(optionalCallable("onStateChange", onStateChange));
    this.#source = createChannel(dial, options, (state) => this.#state.set(state));
    this.#calls = new CallMaker(
      {
        unary: (call, request) => callUnary(this.#source, call, encodeRequest(call, request)),
        stream: (call, requests) => callStream(this.#source, call, requests),
      },
      options,
      {
        compression: compressionOffer(options.compression, options.peer),
        retry: new RetryPolicy(options.retry),
      },
    );
  }

  get state(): TransportState {
    return this.#state.state;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<UnaryResponse<O>> {
    return this.#calls.unary(method, request, options);
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: StreamingMethod<I, O>,
    requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
    options?: CallOptions,
  ): Promise<StreamResponse<O>> {
    return this.#calls.stream(method, requests, options);
  }

  async close({ drainMs = 10_000 }: TransportCloseOptions = {}): Promise<void> {
    await this.#source.close(drainMs === 0 ? 0 : wholeNumber("drainMs", drainMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Returns what the options `compression` and `peer` say together. */
function compressionOffer(
  compression: MessageCompression | undefined,
  peer: PeerKind | undefined,
): CompressionOffer | undefined {
  if (compression === undefined) {
    return undefined;
  }
  const { name } = checkCompression("compression", compression);
  if (peer === "sequential") {
    throw new RangeError(
      `compression must not be set with peer: "sequential", got ${name}: such a peer takes compressed bytes for a message`,
    );
  }
  return { compression, assumed: peer === "multiplexed" };
}
