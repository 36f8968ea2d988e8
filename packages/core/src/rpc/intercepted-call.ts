// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { createEach } from "./created-messages.js";
import type { EndingSignal } from "./ending-signal.js";
import type {
  CallHandler,
  RequestHead,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "./interceptor.js";
import { methodOf } from "./method.js";
import { OuterCall } from "./outer-call.js";

type AnyRequest = UnaryRequest | StreamRequest;
type Messages = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;

/** A client's call on its way into the interceptors. */
export interface InterceptedCallInit extends Omit<RequestHead, "signal" | "service"> {
  readonly signal: AbortSignal | undefined;
}

/** Makes a call with one request and one response through interceptors. Rejects with a DrpcError. */
export function interceptUnary(
  handler: CallHandler,
  init: InterceptedCallInit,
  request: MessageInitShape<DescMessage>,
): Promise<UnaryResponse> {
  return new Promise((resolve, reject) => {
    const outer = new OuterCall(methodOf(init.method).path, init.signal, init.deadline, reject);
    const answered = (response: UnaryResponse | StreamResponse): void => {
      outer.dispose();
      resolve(response as UnaryResponse);
    };
    const failed = (reason: unknown): void => {
      outer.dispose();
      reject(DrpcError.from(reason));
    };
    try {
      const message = create(init.method.input, request);
      Promise.resolve(handler(createRequest(init, outer, false, message))).then(answered, failed);
    } catch (reason) {
      failed(reason);
    }
  });
}

/** Makes a streaming call through interceptors. Rejects with a DrpcError. */
export function interceptStream(
  handler: CallHandler,
  init: InterceptedCallInit,
  requests: Messages,
): Promise<StreamResponse> {
  return new Promise((resolve, reject) => {
    const outer = new OuterCall(methodOf(init.method).path, init.signal, init.deadline, reject);
    const answered = (response: UnaryResponse | StreamResponse): void => {
      resolve({ stream: true, messages: guarded((response as StreamResponse).messages, outer) });
    };
    const failed = (reason: unknown): void => {
      outer.dispose();
      reject(DrpcError.from(reason));
    };
    try {
      const messages = createEach(init.method.input, requests);
      Promise.resolve(handler(createRequest(init, outer, true, messages)))
        .then(answered)
        .catch(failed);
    } catch (reason) {
      failed(reason);
    }
  });
}

// Says of which call a request is. It is copied with the rest where an interceptor spreads a request.
const outerCall = Symbol("ts-drpc.outerCall");

interface Marked {
  readonly [outerCall]?: OuterCall;
}

// One function for all requests: V8 turns objects with accessors of their own into hash tables.
const lazySignal: PropertyDescriptor & ThisType<Required<Marked>> = {
  enumerable: true,
  get() {
    return this[outerCall].signal;
  },
};

function createRequest(init: InterceptedCallInit, outer: OuterCall, stream: boolean, input: unknown): AnyRequest {
  const { method, metadata, contextValues, deadline, waitForReady, retry, onHeader, onTrailer } = init;
  // Property by property: what is spread and then gets an accessor becomes a hash table too, of which each takes 6 µs.
  const request: Record<string | symbol, unknown> = {
    service: method.parent,
    method,
    metadata,
    contextValues,
    deadline,
    waitForReady,
    retry,
    onHeader,
    onTrailer,
    stream,
    [outerCall]: outer,
  };
  request[stream ? "messages" : "message"] = input;
  outer.request = Object.defineProperty(request, "signal", lazySignal);
  return request as unknown as AnyRequest;
}

/**
 * Returns what ends the call of a request that came through the interceptors:
 * the call around it, if the request still has its signal, which then nobody
 * has to make.
 */
export function endingSignalOf(request: RequestHead): AbortSignal | EndingSignal {
  const outer = (request as Marked)[outerCall];
  if (outer === undefined) {
    return request.signal;
  }
  return request === outer.request || request.signal === outer.signal ? outer : request.signal;
}

/** Passes messages on. It is no generator, as one that was not begun yet does not pass on that its reader left. */
function guarded<T>(messages: AsyncIterable<T>, outer: OuterCall): AsyncIterableIterator<T> {
  let iterator: AsyncIterator<T> | undefined;
  const received = (result: IteratorResult<T>): IteratorResult<T> => {
    if (result.done === true) {
      outer.dispose();
    }
    return result;
  };
  const failed = (reason: unknown): never => {
    outer.dispose();
    throw DrpcError.from(reason);
  };
  return {
    next() {
      try {
        iterator ??= messages[Symbol.asyncIterator]();
        return Promise.resolve(iterator.next()).then(received, failed);
      } catch (reason) {
        return Promise.reject(reason).catch(failed);
      }
    },
    async return() {
      try {
        iterator ??= messages[Symbol.asyncIterator]();
        await iterator.return?.();
        return { done: true, value: undefined };
      } finally {
        outer.leave();
      }
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
