// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { CallScope, endedBefore } from "./call-scope.js";
import type {
  CallHandler,
  RequestHead,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "./interceptor.js";
import { methodOf } from "./method.js";

type Messages = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;

/** A client's call on its way into the interceptors. */
export interface InterceptedCallInit extends Omit<RequestHead, "signal" | "service"> {
  readonly signal: AbortSignal | undefined;
}

/** Makes a call with one request and one response through interceptors. */
export async function interceptUnary(
  handler: CallHandler,
  init: InterceptedCallInit,
  request: MessageInitShape<DescMessage>,
): Promise<UnaryResponse> {
  const guard = new CallGuard(init);
  try {
    const message = create(init.method.input, request);
    const response = await guard.race(handler({ ...guard.head, stream: false, message } satisfies UnaryRequest));
    return response as UnaryResponse;
  } catch (reason) {
    throw DrpcError.from(reason);
  } finally {
    guard.dispose();
  }
}

/** Makes a streaming call through interceptors. */
export async function interceptStream(
  handler: CallHandler,
  init: InterceptedCallInit,
  requests: Messages,
): Promise<StreamResponse> {
  const guard = new CallGuard(init);
  try {
    const messages = createEach(init.method.input, requests);
    const response = await guard.race(handler({ ...guard.head, stream: true, messages } satisfies StreamRequest));
    return { stream: true, messages: guarded((response as StreamResponse).messages, guard) };
  } catch (reason) {
    guard.dispose();
    throw DrpcError.from(reason);
  }
}

/** Holds a call to its signal and its deadline while interceptors have it, whatever they do. */
class CallGuard {
  readonly head: RequestHead;
  readonly #scope: CallScope;
  readonly #ended: Promise<never>;
  readonly #controller = new AbortController();

  constructor(init: InterceptedCallInit) {
    const { path } = methodOf(init.method);
    const controller = this.#controller;
    const over = endedBefore(path, init.signal, init.deadline);
    if (over !== undefined) {
      throw over;
    }
    let end: (error: DrpcError) => void = () => undefined;
    this.#ended = new Promise((_, reject) => {
      end = reject;
    });
    // Nobody listens between the race and the end of the call.
    this.#ended.catch(() => undefined);
    this.#scope = new CallScope(path, init.signal, init.deadline, (error) => {
      controller.abort(error);
      end(error);
    });
    this.head = { ...init, service: init.method.parent, signal: controller.signal };
  }

  race<T>(result: Promise<T>): Promise<T> {
    return Promise.race([result, this.#ended]);
  }

  /** The call is over. */
  dispose(): void {
    this.#scope.dispose();
  }

  /** The caller left: whoever in between does not pass that on is told by the signal. */
  leave(): void {
    this.#scope.dispose();
    this.#controller.abort(new DrpcError("the caller left before the end", Code.Canceled));
  }
}

async function* createEach(desc: DescMessage, messages: Messages): AsyncGenerator<MessageShape<DescMessage>> {
  for await (const message of messages) {
    yield create(desc, message);
  }
}

/** Passes messages on. It is no generator, as one that was not begun yet does not pass on that its reader left. */
function guarded<T>(messages: AsyncIterable<T>, guard: CallGuard): AsyncIterableIterator<T> {
  let iterator: AsyncIterator<T> | undefined;
  return {
    async next() {
      try {
        iterator ??= messages[Symbol.asyncIterator]();
        const result = await iterator.next();
        if (result.done === true) {
          guard.dispose();
        }
        return result;
      } catch (reason) {
        guard.dispose();
        throw DrpcError.from(reason);
      }
    },
    async return() {
      try {
        iterator ??= messages[Symbol.asyncIterator]();
        await iterator.return?.();
        return { done: true, value: undefined };
      } finally {
        guard.leave();
      }
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
