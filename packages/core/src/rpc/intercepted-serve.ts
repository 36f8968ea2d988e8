// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { createEach } from "./created-messages.js";
import type { HandlerContext } from "./handler.js";
import {
  applyInterceptors,
  type CallHandler,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "./interceptor.js";
import { isPromise } from "./is-promise.js";
import type { Method } from "./method.js";
import type { Serve } from "./router.js";

type AnyRequest = UnaryRequest | StreamRequest;
type Init = MessageInitShape<DescMessage>;
type Message = MessageShape<DescMessage>;

/** Wraps the function of a handler into the interceptors of a server. */
export function interceptServe(interceptors: readonly Interceptor[], method: Method, serve: Serve): Serve {
  const { desc } = method;
  const { methodKind } = desc;
  const oneRequest = methodKind === "unary" || methodKind === "server_streaming";
  const oneResponse = methodKind === "unary" || methodKind === "client_streaming";

  return async (request, context) => {
    let made: AnyRequest;
    const innermost: CallHandler = async (inner) => {
      // A request that is still the one that was made is the context too, with nothing to be read from it that nobody wants.
      const innerContext = inner === made ? (inner as unknown as HandlerContext) : contextOf(inner, context);
      if (!inner.stream) {
        const result = serve(inner.message, innerContext);
        const message = create(desc.output, (isPromise(result) ? await result : result) as Init);
        return { stream: false, message };
      }
      const messages = oneRequest ? await only(inner.messages, method.path) : inner.messages;
      const result = await serve(messages, innerContext);
      return {
        stream: true,
        messages: createEach(desc.output, oneResponse ? [result as Init] : (result as Iterable<Init>)),
      };
    };

    const handler = applyInterceptors(interceptors, innermost);
    if (methodKind === "unary") {
      made = createRequest(context, false, request);
      return ((await handler(made)) as UnaryResponse).message;
    }
    const messages = oneRequest ? each([request as Message]) : (request as AsyncIterable<Message>);
    made = createRequest(context, true, messages);
    const response = (await handler(made)) as StreamResponse;
    return oneResponse ? only(response.messages, method.path) : response.messages;
  };
}

// Leads from a request to the context that it was made of.
const served = Symbol("ts-drpc.served");

// Made when it is looked at, as it costs more than all else in a call. One function for all requests: V8 turns
// objects with accessors of their own into hash tables.
const lazySignal: PropertyDescriptor & ThisType<{ [served]: HandlerContext }> = {
  enumerable: true,
  get() {
    return this[served].signal;
  },
};

function createRequest(context: HandlerContext, stream: boolean, input: unknown): AnyRequest {
  const { service, method, metadata, contextValues, deadline, peer, responseHeader, responseTrailer } = context;
  // Property by property, see the client's (intercepted-call.ts).
  const request: Record<string | symbol, unknown> = {
    service,
    method,
    metadata,
    contextValues,
    deadline,
    peer,
    responseHeader,
    responseTrailer,
    stream,
    [served]: context,
  };
  request[stream ? "messages" : "message"] = input;
  return Object.defineProperty(request, "signal", lazySignal) as unknown as AnyRequest;
}

/** Returns the context of a request that an interceptor made, with what it left out. */
function contextOf(request: AnyRequest, context: HandlerContext): HandlerContext {
  const { service, method, metadata, contextValues, signal, deadline, peer, responseHeader, responseTrailer } = context;
  const head = { method, metadata, contextValues, signal, deadline };
  return { ...head, ...request, service, peer, responseHeader, responseTrailer };
}

async function only(messages: AsyncIterable<Message>, path: string): Promise<Message> {
  for await (const message of messages) {
    return message;
  }
  throw new DrpcError(`${path}: an interceptor left no message where the method has one`, Code.Internal);
}

async function* each(messages: Iterable<Message>): AsyncGenerator<Message> {
  yield* messages;
}
