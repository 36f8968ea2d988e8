// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { CallOptions } from "../vocabulary/call-options.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { objectWith } from "../vocabulary/option-values.js";
import type { StreamResponse, UnaryResponse } from "./interceptor.js";
import { memberName, methodOf } from "./method.js";
import type { StreamingMethod, Transport, UnaryMethod } from "./transport.js";
import { missingResponse } from "./unary-call.js";

/** The calls of a service: a function for each method. */
export type Client<Service extends DescService> = {
  [Name in keyof Service["method"] as Name extends "then" ? "then$" : Name]: ClientMethod<Service["method"][Name]>;
};

/** The function of a client for one method. */
export type ClientMethod<Method> = Method extends {
  readonly methodKind: infer Kind;
  readonly input: infer I extends DescMessage;
  readonly output: infer O extends DescMessage;
}
  ? Kind extends "unary"
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : Kind extends "server_streaming"
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : Kind extends "client_streaming"
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
  : never;

type AnyMessages = AsyncIterable<MessageInitShape<DescMessage>>;

/**
 * Creates a client that calls a service through a transport. Its functions can
 * be detached from it.
 *
 * A streaming call starts when its function is called, not when its responses
 * are first asked for.
 */
export function createClient<Service extends DescService>(service: Service, transport: Transport): Client<Service> {
  objectWith("transport", transport, "a Transport", "unary", "stream");
  const client: Record<string, unknown> = {};
  for (const method of service.methods) {
    // Not an assignment, which for a method called __proto__ would be something else.
    Object.defineProperty(client, memberName(method), {
      value: createMethod(method, transport),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return client as Client<Service>;
}

function createMethod(method: DescMethod, transport: Transport): unknown {
  switch (method.methodKind) {
    case "unary": {
      const unary = method as UnaryMethod<DescMessage, DescMessage>;
      // Not async: that would cost each call a promise more.
      return (request: MessageInitShape<DescMessage>, options?: CallOptions) => {
        try {
          return transport.unary(unary, request, options).then(messageOf);
        } catch (reason) {
          return Promise.reject(reason);
        }
      };
    }
    case "server_streaming": {
      const streaming = method as StreamingMethod<DescMessage, DescMessage>;
      return (request: MessageInitShape<DescMessage>, options?: CallOptions) =>
        responsesOf(transport.stream(streaming, [request], options));
    }
    case "client_streaming": {
      const streaming = method as StreamingMethod<DescMessage, DescMessage>;
      return async (requests: AnyMessages, options?: CallOptions) =>
        onlyMessage(methodOf(method).path, await transport.stream(streaming, requests, options));
    }
    case "bidi_streaming": {
      const streaming = method as StreamingMethod<DescMessage, DescMessage>;
      return (requests: AnyMessages, options?: CallOptions) =>
        responsesOf(transport.stream(streaming, requests, options));
    }
  }
}

function messageOf({ message }: UnaryResponse): MessageShape<DescMessage> {
  return message;
}

/** Takes the one response of a client-streaming call. */
async function onlyMessage(path: string, response: StreamResponse): Promise<MessageShape<DescMessage>> {
  let only: MessageShape<DescMessage> | undefined;
  for await (const message of response.messages) {
    if (only !== undefined) {
      throw new DrpcError(`${path}: the peer sent more than the one response of the method`, Code.Unimplemented);
    }
    only = message;
  }
  if (only === undefined) {
    throw missingResponse(path);
  }
  return only;
}

/** Makes the responses of a call iterable before the transport has them. */
function responsesOf(response: Promise<StreamResponse>): AsyncIterableIterator<MessageShape<DescMessage>> {
  // The caller learns of a failure when iterating; until then it must not count as unhandled.
  response.catch(() => undefined);
  let iterator: AsyncIterator<MessageShape<DescMessage>> | undefined;
  let begun: Promise<AsyncIterator<MessageShape<DescMessage>>> | undefined;
  const begin = (): Promise<AsyncIterator<MessageShape<DescMessage>>> => {
    begun ??= response.then(({ messages }) => {
      iterator = messages[Symbol.asyncIterator]();
      return iterator;
    });
    return begun;
  };
  return {
    next: () => iterator?.next() ?? begin().then((responses) => responses.next()),
    return: async () => {
      await (await begin()).return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
