// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type {
  HandlerContext as ConnectContext,
  ConnectRouterOptions,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import { Code, DrpcError, type HandlerContext } from "@ts-drpc/core";
import { ConnectContextScope } from "./connect-context-scope.js";
import { toConnectError } from "./errors.js";
import { MessageIterator } from "./message-iterator.js";

type Init = MessageInitShape<DescMessage>;
type Message = MessageShape<DescMessage>;
type Next = (request: UnaryRequest | StreamRequest) => Promise<UnaryResponse | StreamResponse>;

/** The function of a service of Connect for one method, of whichever kind. */
export type Implementation = (request: unknown, context: ConnectContext) => unknown;

/** Options of the services of Connect: those of its routers. */
export interface ConnectServeOptions extends ConnectRouterOptions {
  /** Is asked before the interceptors are. It refuses a call by throwing a ConnectError. Connect knows it from 2.2 on. */
  requestGate?: (context: ConnectContext) => void | Promise<void>;
}

/** A method that a service of Connect serves. */
export interface ConnectMethod {
  readonly desc: DescMethod;
  readonly implementation: Implementation;
  readonly options: ConnectServeOptions;
}

/** Returns the function of a DRPC handler that serves a method by a function of Connect, through Connect's interceptors. */
export function serveWithConnect(method: ConnectMethod): (request: unknown, context: HandlerContext) => unknown {
  const { methodKind } = method.desc;
  return methodKind === "server_streaming" || methodKind === "bidi_streaming"
    ? (request, context) => answerWithMany(method, request, context)
    : (request, context) => answerWithOne(method, request, context);
}

async function answerWithOne(method: ConnectMethod, request: unknown, context: HandlerContext): Promise<Message> {
  const scope = new ConnectContextScope(method.desc, context, method.options);
  try {
    await method.options.requestGate?.(scope.context);
    const response = await invoke(method, scope.context, request);
    scope.responseHeader = response.header;
    const message = response.stream ? await only(response.message, method.desc) : response.message;
    scope.responseTrailer = response.trailer;
    scope.sendTrailer();
    return message;
  } catch (reason) {
    throw scope.failure(reason);
  } finally {
    scope.dispose();
  }
}

function answerWithMany(method: ConnectMethod, request: unknown, context: HandlerContext): AsyncIterable<Message> {
  const scope = new ConnectContextScope(method.desc, context, method.options);
  let trailer = scope.responseTrailer;
  return new MessageIterator<Message>({
    open: async () => {
      await method.options.requestGate?.(scope.context);
      const response = (await invoke(method, scope.context, request)) as StreamResponse;
      scope.responseHeader = response.header;
      trailer = response.trailer;
      return response.message;
    },
    message: (message) => {
      scope.sendHeader();
      return message;
    },
    ended: () => {
      scope.responseTrailer = trailer;
      scope.sendTrailer();
    },
    failure: (reason) => scope.failure(reason),
    over: () => scope.dispose(),
  });
}

/** Calls the function of the service through the interceptors. */
function invoke(
  { desc, implementation, options }: ConnectMethod,
  context: ConnectContext,
  request: unknown,
): Promise<UnaryResponse | StreamResponse> {
  const { methodKind, parent: service } = desc;
  const innermost: Next = async (inner) => {
    const innerContext: ConnectContext = {
      ...context,
      service: inner.service,
      signal: inner.signal,
      requestHeader: inner.header,
      values: inner.contextValues,
    };
    const oneRequest = inner.stream && methodKind === "server_streaming";
    const result = implementation(oneRequest ? await only(inner.message, desc) : inner.message, innerContext);
    const head = { service, header: context.responseHeader, trailer: context.responseTrailer };
    if (methodKind === "unary") {
      const method = desc as UnaryResponse["method"];
      return { ...head, stream: false, method, message: create(method.output, (await result) as Init) };
    }
    const method = desc as StreamResponse["method"];
    const messages = methodKind === "client_streaming" ? [(await result) as Init] : (result as AsyncIterable<Init>);
    return { ...head, stream: true, method, message: created(desc, messages) };
  };

  const { requestMethod, url, signal, requestHeader: header, values: contextValues } = context;
  const head = { service, requestMethod, url, signal, header, contextValues };
  const handler = (options.interceptors ?? []).reduceRight<Next>((next, each) => each(next) as Next, innermost);
  if (methodKind === "unary") {
    return handler({ ...head, stream: false, method: desc as UnaryRequest["method"], message: request as Message });
  }
  const messages = methodKind === "server_streaming" ? [request as Message] : (request as AsyncIterable<Message>);
  const message = new MessageIterator<Message>({
    open: () => messages,
    failure: (reason) => toConnectError(DrpcError.from(reason)),
  });
  return handler({ ...head, stream: true, method: desc as StreamRequest["method"], message });
}

function created({ output }: DescMethod, messages: AsyncIterable<Init> | Iterable<Init>): AsyncIterable<Message> {
  return new MessageIterator<Init>({
    open: () => messages,
    message: (message) => create(output, message),
    failure: (reason) => reason,
  }) as AsyncIterable<Message>;
}

async function only(messages: AsyncIterable<Message>, { parent, name }: DescMethod): Promise<Message> {
  for await (const message of messages) {
    return message;
  }
  const text = `/${parent.typeName}/${name}: an interceptor left no message where the method has one`;
  throw new DrpcError(text, Code.Internal);
}
