// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions } from "../vocabulary/call-options.js";
import type { StreamResponse, UnaryResponse } from "./interceptor.js";

declare global {
  // Compilers before TypeScript 5.2, and later ones without the lib esnext.disposable, do not know these.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>;
  }
}

/** A method with one request and one response. */
export type UnaryMethod<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly methodKind: "unary";
  readonly input: I;
  readonly output: O;
};

/** A method that streams its requests, its responses, or both. */
export type StreamingMethod<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly methodKind: "client_streaming" | "server_streaming" | "bidi_streaming";
  readonly input: I;
  readonly output: O;
};

/** How to close a {@link Transport}. */
export interface TransportCloseOptions {
  /** How long calls under way may go on, in milliseconds, before they are canceled. Defaults to 10,000. */
  readonly drainMs?: number | undefined;
}

/**
 * A Transport makes calls. Every client calls through one, and does not know
 * how it does it.
 */
export interface Transport extends AsyncDisposable {
  /** Makes a call with one request and one response. Rejects with a DrpcError. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<UnaryResponse<O>>;

  /**
   * Makes a streaming call. The requests are pulled as fast as the peer takes
   * them. The responses end with an error if the call fails, and the call is
   * canceled if their iteration is left early.
   */
  stream<I extends DescMessage, O extends DescMessage>(
    method: StreamingMethod<I, O>,
    requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
    options?: CallOptions,
  ): Promise<StreamResponse<O>>;

  /**
   * Takes no more calls, lets those under way end, cancels those that are left
   * after a time, and closes what the transport holds.
   */
  close(options?: TransportCloseOptions): Promise<void>;
}
