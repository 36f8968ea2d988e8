// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { type Channel, type ChannelCredentials, type ChannelOptions, Client, credentials } from "@grpc/grpc-js";
import type {
  CallOptions,
  StreamingMethod,
  StreamResponse,
  Transport,
  TransportCloseOptions,
  UnaryMethod,
  UnaryResponse,
} from "@ts-drpc/core";
import { CallMaker, type CallMakerOptions, encodeRequest, OpenCalls, wholeNumber } from "@ts-drpc/core/adapter";
import type { CallHost } from "./client-call.js";
import { MessageLimit, type MessageLimitOptions } from "./message-limit.js";
import { callStream } from "./stream-call.js";
import { callUnary } from "./unary-call.js";

/** Options of the calls of a gRPC transport. */
export interface GrpcCallOptions extends CallMakerOptions, MessageLimitOptions {}

/** What a gRPC transport calls through. */
export type GrpcTarget =
  | {
      /** The server, as grpc-js names it: `localhost:50051`, `dns:///example.com`, `unix:/run/echo.sock`. */
      readonly address: string;

      /** As in grpc-js: `credentials.createInsecure()`, `credentials.createSsl()`. */
      readonly credentials: ChannelCredentials;

      /** Options of the channel, as in grpc-js. The limits of messages come from `maxMessageBytes`. */
      readonly channelOptions?: ChannelOptions | undefined;
    }
  /** A channel of the caller's own, which stays open when the transport is closed. */
  | { readonly channel: Channel }
  /** A client of the caller's own, with its interceptors, which stays open when the transport is closed. */
  | { readonly client: Client };

/** Options of a gRPC transport. */
export type GrpcTransportOptions = GrpcTarget & GrpcCallOptions;

/**
 * Creates a transport that calls a gRPC server through grpc-js. Every client
 * that is made for a DRPC transport works over it.
 *
 * Throws a RangeError or a TypeError that names the option if one has a wrong value.
 *
 * @example
 * const transport = createGrpcTransport({ address: "localhost:50051", credentials: credentials.createInsecure() });
 * const echo = createEchoServiceClient(transport);
 */
export function createGrpcTransport(options: GrpcTransportOptions): Transport {
  return new GrpcTransport(options);
}

class GrpcTransport implements Transport {
  readonly #host: CallHost;
  readonly #calls: CallMaker;
  readonly #owned: Client | undefined;

  constructor(options: GrpcTransportOptions) {
    const limit = new MessageLimit(options);
    const calls = new CallMaker(
      {
        unary: (call, request) => callUnary(this.#host, call, encodeRequest(call, request)),
        stream: (call, requests) => callStream(this.#host, call, requests),
      },
      options,
    );
    const client = createClient(options, limit);
    this.#owned = "address" in options ? client : undefined;
    this.#host = { client, limit, openCalls: new OpenCalls() };
    this.#calls = calls;
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
    this.#owned?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function createClient(target: GrpcTarget, { maxMessageBytes, maxSendMessageBytes }: MessageLimit): Client {
  if ("client" in target) {
    return target.client;
  }
  if ("channel" in target) {
    return new Client("", credentials.createInsecure(), { channelOverride: target.channel });
  }
  if (typeof target.address !== "string" || target.address === "") {
    throw new TypeError("a gRPC transport needs an address, a channel or a client of grpc-js");
  }
  return new Client(target.address, target.credentials, {
    ...target.channelOptions,
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxSendMessageBytes,
  });
}
