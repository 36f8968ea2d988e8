// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { HandlerContext } from "./handler.js";
import {
  applyInterceptors,
  type CallHandler,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "./interceptor.js";
import type { Method } from "./method.js";
import type { Serve } from "./router.js";

type Init = MessageInitShape<DescMessage>;
type Message = MessageShape<DescMessage>;

/** Wraps the function of a handler into the interceptors of a server. */
export function interceptServe(interceptors: readonly Interceptor[], method: Method, serve: Serve): Serve {
  const { desc } = method;
  const { methodKind } = desc;
  const oneRequest = methodKind === "unary" || methodKind === "server_streaming";
  const oneResponse = methodKind === "unary" || methodKind === "client_streaming";

  return async (request, context) => {
    const innermost: CallHandler = async (inner) => {
      const innerContext: HandlerContext = {
        ...headOf(context),
        ...inner,
        service: desc.parent,
        peer: context.peer,
        responseHeader: context.responseHeader,
        responseTrailer: context.responseTrailer,
      };
      if (!inner.stream) {
        const message = create(desc.output, (await serve(inner.message, innerContext)) as Init);
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
    const head = headOf(context);
    if (methodKind === "unary") {
      const response = await handler({ ...head, stream: false, message: request as Message });
      return (response as UnaryResponse).message;
    }
    const messages = oneRequest ? each([request as Message]) : (request as AsyncIterable<Message>);
    const response = (await handler({ ...head, stream: true, messages })) as StreamResponse;
    return oneResponse ? only(response.messages, method.path) : response.messages;
  };
}

function headOf(context: HandlerContext): HandlerContext {
  const { service, method, metadata, contextValues, signal, deadline, peer, responseHeader, responseTrailer } = context;
  return { service, method, metadata, contextValues, signal, deadline, peer, responseHeader, responseTrailer };
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

async function* createEach(desc: DescMessage, messages: AsyncIterable<Init> | Iterable<Init>): AsyncGenerator<Message> {
  for await (const message of messages) {
    yield create(desc, message);
  }
}
