// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Metadata } from "@ts-drpc/core";
import {
  type ClientCompatRequest,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.js";
import { StreamType } from "./gen/connectrpc/conformance/v1/config_pb.js";
import type { ConformanceServiceClient } from "./gen/connectrpc/conformance/v1/service_drpc.js";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayloadSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  UnimplementedRequestSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.js";
import { appendHeaders, errorMessage, headersOf } from "./wire-forms.js";

type Response = { readonly payload?: ConformancePayload | undefined };

/** Makes the call that the runner describes, and returns what came of it. Throws if the call cannot be made. */
export async function makeCall(
  client: ConformanceServiceClient,
  request: ClientCompatRequest,
): Promise<ClientResponseResult> {
  const call = new ConformanceCall(request);
  const { options } = call;
  switch (request.method) {
    case "Unary":
      return call.single(client.unary(call.onlyRequest(UnaryRequestSchema), options));
    case "IdempotentUnary":
      return call.single(client.idempotentUnary(call.onlyRequest(IdempotentUnaryRequestSchema), options));
    case "Unimplemented":
      return call.single(client.unimplemented(call.onlyRequest(UnimplementedRequestSchema), options).then(() => ({})));
    case "ServerStream":
      return call.stream(client.serverStream(call.onlyRequest(ServerStreamRequestSchema), options));
    case "ClientStream":
      return call.single(client.clientStream(call.requests(ClientStreamRequestSchema), options));
    case "BidiStream":
      return call.stream(client.bidiStream(call.requests(BidiStreamRequestSchema), options));
    default:
      throw new Error(`the method ${request.method} is not known`);
  }
}

/** ConformanceCall sends, cancels and reads as it was told to. */
class ConformanceCall {
  readonly result: ClientResponseResult = create(ClientResponseResultSchema);
  readonly #request: ClientCompatRequest;
  readonly #controller = new AbortController();
  #answered: () => void = () => undefined;

  constructor(request: ClientCompatRequest) {
    this.#request = request;
  }

  get options(): CallOptions {
    return {
      signal: this.#controller.signal,
      timeoutMs: this.#request.timeoutMs,
      metadata: appendHeaders(new Metadata(), this.#request.requestHeaders),
      onHeader: (header) => {
        this.result.responseHeaders = headersOf(header);
      },
      onTrailer: (trailer) => {
        this.result.responseTrailers = headersOf(trailer);
      },
    };
  }

  /** Returns the one request of a call, after which it counts as sent. */
  onlyRequest<Desc extends DescMessage>(desc: Desc): MessageShape<Desc> {
    const [request, ...others] = this.#unpack(desc);
    if (request === undefined || others.length > 0) {
      throw new Error(`${this.#request.method} takes one request, and got ${this.#request.requestMessages.length}`);
    }
    this.#sent();
    return request;
  }

  /** Gives the requests of a call, each when it is due. */
  async *requests<Desc extends DescMessage>(desc: Desc): AsyncGenerator<MessageShape<Desc>> {
    const { requestDelayMs, streamType, cancel } = this.#request;
    const requests = this.#unpack(desc);
    this.result.numUnsentRequests = requests.length;
    for (const request of requests) {
      await sleep(requestDelayMs);
      const answered = new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
      yield request;
      this.result.numUnsentRequests--;
      if (streamType === StreamType.FULL_DUPLEX_BIDI_STREAM) {
        await answered;
      }
    }
    if (cancel?.cancelTiming.case === "beforeCloseSend") {
      this.#controller.abort();
    }
    this.#sent();
  }

  /** Waits for the one response of a call. */
  async single(response: Promise<Response>): Promise<ClientResponseResult> {
    try {
      this.#received(await response);
    } catch (reason) {
      this.result.error = errorMessage(reason);
    }
    return this.result;
  }

  /** Reads all responses of a call. */
  async stream(responses: AsyncIterable<Response>): Promise<ClientResponseResult> {
    try {
      for await (const response of responses) {
        this.#received(response);
        const timing = this.#request.cancel?.cancelTiming;
        if (timing?.case === "afterNumResponses" && timing.value === this.result.payloads.length) {
          this.#controller.abort();
        }
      }
    } catch (reason) {
      this.result.error = errorMessage(reason);
    }
    this.#answered();
    return this.result;
  }

  #unpack<Desc extends DescMessage>(desc: Desc): MessageShape<Desc>[] {
    return this.#request.requestMessages.map((packed) => {
      const request = anyUnpack(packed, desc);
      if (request === undefined) {
        throw new Error(`${this.#request.method} takes ${desc.typeName}, and got ${packed.typeUrl}`);
      }
      return request;
    });
  }

  /** All requests were sent, and there are no more. */
  #sent(): void {
    const { cancel } = this.#request;
    if (cancel?.cancelTiming.case === "afterCloseSendMs") {
      setTimeout(() => this.#controller.abort(), cancel.cancelTiming.value);
    } else if (cancel !== undefined && cancel.cancelTiming.case === undefined) {
      setTimeout(() => this.#controller.abort());
    }
  }

  #received({ payload }: Response): void {
    this.result.payloads.push(payload ?? create(ConformancePayloadSchema));
    this.#answered();
  }
}
