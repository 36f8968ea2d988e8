// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Transport as ConnectTransport } from "@connectrpc/connect";
import type {
  CallOptions,
  StreamingMethod,
  StreamResponse,
  Transport,
  TransportCloseOptions,
  UnaryMethod,
  UnaryResponse,
} from "@ts-drpc/core";
import { CallMaker, type CallMakerOptions, OpenCalls, wholeNumber } from "@ts-drpc/core/adapter";
import type { CallHost } from "./connect-call.js";
import { callStream } from "./connect-stream-call.js";
import { callUnary } from "./connect-unary-call.js";

/** Options of a transport over Connect's. */
export interface FromConnectTransportOptions extends CallMakerOptions {}

/**
 * Returns a transport that makes its calls over a Connect transport, whichever
 * protocol that speaks, so that every client that is made for DRPC works over
 * it. Its own interceptors are further out than Connect's.
 *
 * Closing it ends its calls, and leaves the Connect transport and its
 * connections, which Connect itself closes or keeps, as they are.
 *
 * Throws a RangeError or a TypeError that names the option if one has a wrong value.
 *
 * @example
 * const connectTransport = createConnectTransport({ baseUrl: "https://example.com", httpVersion: "2" });
 * const echo = createEchoServiceClient(fromConnectTransport(connectTransport));
 */
export function fromConnectTransport(
  transport: ConnectTransport,
  options: FromConnectTransportOptions = {},
): Transport {
  return new OverConnect(transport, options);
}

class OverConnect implements Transport {
  readonly #host: CallHost;
  readonly #calls: CallMaker;

  constructor(transport: ConnectTransport, options: FromConnectTransportOptions) {
    this.#host = { transport, openCalls: new OpenCalls() };
    this.#calls = new CallMaker(
      {
        unary: (call, request) => callUnary(this.#host, call, request),
        stream: (call, requests) => callStream(this.#host, call, requests),
      },
      options,
    );
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
    await this.#host.openCalls.close(drainMs === 0 ? 0 : wholeNumber("drainMs", drainMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
