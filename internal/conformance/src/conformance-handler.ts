// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@ts-drpc/core";
import type { ConformanceServiceHandler } from "./gen/connectrpc/conformance/v1/service_drpc.js";
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  type ClientStreamRequest,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type IdempotentUnaryRequest,
  IdempotentUnaryRequestSchema,
  type ServerStreamRequest,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  type UnaryRequest,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.js";
import { appendHeaders, errorToThrow, headersOf } from "./wire-forms.js";

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;
type Response = { payload: Payload };

/** The service that the runner's clients call. It does what the first request of each call says. */
export class ConformanceHandler implements Partial<ConformanceServiceHandler> {
  unary(request: UnaryRequest, context: HandlerContext): Promise<Response> {
    return answer(request.responseDefinition, [anyPack(UnaryRequestSchema, request)], context);
  }

  idempotentUnary(request: IdempotentUnaryRequest, context: HandlerContext): Promise<Response> {
    return answer(request.responseDefinition, [anyPack(IdempotentUnaryRequestSchema, request)], context);
  }

  async clientStream(requests: AsyncIterable<ClientStreamRequest>, context: HandlerContext): Promise<Response> {
    const all: ClientStreamRequest[] = [];
    for await (const request of requests) {
      all.push(request);
    }
    const packed = all.map((request) => anyPack(ClientStreamRequestSchema, request));
    return answer(all[0]?.responseDefinition, packed, context);
  }

  async *serverStream(request: ServerStreamRequest, context: HandlerContext): AsyncGenerator<Response> {
    const responses = new StreamResponses(request.responseDefinition, context);
    yield* responses.rest([anyPack(ServerStreamRequestSchema, request)]);
  }

  async *bidiStream(requests: AsyncIterable<BidiStreamRequest>, context: HandlerContext): AsyncGenerator<Response> {
    let responses: StreamResponses | undefined;
    let fullDuplex = false;
    let unanswered: Any[] = [];
    for await (const request of requests) {
      unanswered.push(anyPack(BidiStreamRequestSchema, request));
      if (responses === undefined) {
        responses = new StreamResponses(request.responseDefinition, context);
        fullDuplex = request.fullDuplex;
      }
      if (fullDuplex) {
        if (responses.done) {
          break;
        }
        yield await responses.next(unanswered, true);
        unanswered = [];
      }
    }
    yield* responses?.rest(unanswered) ?? [];
  }
}

/** Answers a call with one response. */
async function answer(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<Response> {
  const seen = requestInfo(requests, context);
  if (definition === undefined) {
    return { payload: { requestInfo: seen } };
  }
  setMetadata(definition, context);
  await delay(definition.responseDelayMs, context);
  const { response } = definition;
  if (response.case === "error") {
    throw errorToThrow(response.value, seen);
  }
  return { payload: { requestInfo: seen, ...(response.case === "responseData" ? { data: response.value } : {}) } };
}

/** The responses that the first request of a stream asked for. */
class StreamResponses {
  readonly #definition: StreamResponseDefinition | undefined;
  readonly #context: HandlerContext;
  #sent = 0;

  constructor(definition: StreamResponseDefinition | undefined, context: HandlerContext) {
    this.#definition = definition;
    this.#context = context;
    if (definition !== undefined) {
      setMetadata(definition, context);
    }
  }

  /** True if all responses were given. The error may be left. */
  get done(): boolean {
    return this.#sent >= (this.#definition?.responseData.length ?? 0);
  }

  /** Returns the next response. The first tells what was seen of the call, the others which requests came if `telling`. */
  async next(requests: Any[], telling: boolean): Promise<Response> {
    const data = this.#definition?.responseData[this.#sent] ?? new Uint8Array();
    const first = this.#sent === 0;
    this.#sent++;
    await delay(this.#definition?.responseDelayMs ?? 0, this.#context);
    if (first) {
      return { payload: { data, requestInfo: requestInfo(requests, this.#context) } };
    }
    return { payload: telling ? { data, requestInfo: { requests } } : { data } };
  }

  /** Gives the responses that are left, and throws the error, if there is to be one. */
  async *rest(requests: Any[]): AsyncGenerator<Response> {
    while (!this.done) {
      yield await this.next(requests, false);
    }
    const error = this.#definition?.error;
    if (error !== undefined) {
      throw errorToThrow(error, this.#sent === 0 ? requestInfo(requests, this.#context) : undefined);
    }
  }
}

function setMetadata(
  { responseHeaders, responseTrailers }: Pick<UnaryResponseDefinition, "responseHeaders" | "responseTrailers">,
  { responseHeader, responseTrailer }: HandlerContext,
): void {
  appendHeaders(responseHeader, responseHeaders);
  appendHeaders(responseTrailer, responseTrailers);
}

async function delay(milliseconds: number, { signal }: HandlerContext): Promise<void> {
  if (milliseconds > 0) {
    await sleep(milliseconds, undefined, { signal });
  }
}

function requestInfo(requests: Any[], { metadata, deadline }: HandlerContext): ConformancePayload_RequestInfo {
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: headersOf(metadata),
    requests,
    ...(deadline === undefined ? {} : { timeoutMs: BigInt(Math.max(0, Math.floor(deadline.timeoutMs))) }),
  });
}
