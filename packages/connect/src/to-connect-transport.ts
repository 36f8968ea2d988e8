// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import {
  type Transport as ConnectTransport,
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import type { CallOptions, Transport } from "@ts-drpc/core";
import { Deadline, wholeNumber } from "@ts-drpc/core/adapter";
import { SharedContextValues } from "./context-values.js";
import { toMetadata } from "./headers.js";
import { MessageIterator } from "./message-iterator.js";
import { ReceivedMetadata } from "./received-metadata.js";

/** Options of a Connect transport over DRPC, as other Connect transports have them. */
export interface ToConnectTransportOptions {
  /** Connect's interceptors: they wrap every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /** How long calls that set no `timeoutMs` of their own may take, in milliseconds. Defaults to no limit. */
  readonly defaultTimeoutMs?: number | undefined;
}

// Longer than this, Connect's timer fires at once. The DRPC transport keeps a longer deadline by itself.
const maxTimerMs = 0x7fff_ffff;

/**
 * Returns a Connect transport that makes its calls over a DRPC transport, for
 * clients of Connect and what builds on them. The DRPC transport stays the
 * caller's to close, and its interceptors are further in than Connect's.
 *
 * Calls reject with a ConnectError whose `cause` is the DrpcError. Its
 * `metadata` is what the server sent ahead of it.
 *
 * Throws a RangeError or a TypeError that names the option if one has a wrong value.
 *
 * @example
 * const echo = createClient(EchoService, toConnectTransport(transport));
 */
export function toConnectTransport(transport: Transport, options: ToConnectTransportOptions = {}): ConnectTransport {
  const interceptors = checkInterceptors(options.interceptors ?? []);
  const defaultTimeoutMs =
    options.defaultTimeoutMs === undefined ? undefined : wholeNumber("defaultTimeoutMs", options.defaultTimeoutMs);

  return {
    unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      message: MessageInitShape<I>,
      contextValues?: ContextValues,
    ): Promise<UnaryResponse<I, O>> {
      const deadline = deadlineIn(timeoutMs ?? defaultTimeoutMs);
      return runUnaryCall<I, O>({
        interceptors,
        ...limits(signal, deadline),
        req: { stream: false, method, ...headOf(method, header, contextValues), message },
        next: (request) => callUnary(transport, request, deadline),
      });
    },

    stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      message: AsyncIterable<MessageInitShape<I>>,
      contextValues?: ContextValues,
    ): Promise<StreamResponse<I, O>> {
      const deadline = deadlineIn(timeoutMs ?? defaultTimeoutMs);
      return runStreamingCall<I, O>({
        interceptors,
        ...limits(signal, deadline),
        req: { stream: true, method, ...headOf(method, header, contextValues), message },
        next: (request) => callStream(transport, request, deadline),
      });
    },
  };
}

async function callUnary<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  request: UnaryRequest<I, O>,
  deadline: Deadline | undefined,
): Promise<UnaryResponse<I, O>> {
  const { service, method } = request;
  const metadata = new ReceivedMetadata();
  try {
    const { message } = await transport.unary(method, request.message, callOptions(request, deadline, metadata));
    return { stream: false, service, method, header: metadata.header, trailer: metadata.trailer, message };
  } catch (reason) {
    throw metadata.errorOf(reason);
  }
}

/** Resolves when the server has sent its metadata or a first message, as with Connect's own transports. */
async function callStream<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  request: StreamRequest<I, O>,
  deadline: Deadline | undefined,
): Promise<StreamResponse<I, O>> {
  const { service, method } = request;
  const metadata = new ReceivedMetadata();
  try {
    const { messages } = await transport.stream(method, request.message, callOptions(request, deadline, metadata));
    const rest = messages[Symbol.asyncIterator]();
    const first = rest.next();
    await Promise.race([metadata.headerCame, first]);
    const message = new MessageIterator({
      open: () => startingWith(first, rest),
      failure: (reason) => metadata.errorOf(reason),
    });
    return { stream: true, service, method, header: metadata.header, trailer: metadata.trailer, message };
  } catch (reason) {
    throw metadata.errorOf(reason);
  }
}

/** Puts back what has been taken from an iterator already. */
function startingWith<T>(first: Promise<IteratorResult<T>>, rest: AsyncIterator<T>): AsyncIterableIterator<T> {
  let next: (() => Promise<IteratorResult<T>>) | undefined = () => first;
  return {
    next() {
      const take = next ?? (() => rest.next());
      next = undefined;
      return take();
    },
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function headOf(
  method: DescMethodUnary | DescMethodStreaming,
  header: HeadersInit | undefined,
  contextValues: ContextValues = createContextValues(),
): Pick<UnaryRequest, "service" | "requestMethod" | "url" | "header" | "contextValues"> {
  const service = method.parent;
  const url = `drpc:///${service.typeName}/${method.name}`;
  return { service, requestMethod: "POST", url, header: new Headers(header), contextValues };
}

function callOptions(
  { header, signal, contextValues }: UnaryRequest | StreamRequest,
  deadline: Deadline | undefined,
  metadata: ReceivedMetadata,
): CallOptions {
  return {
    metadata: toMetadata(header),
    signal,
    timeoutMs: deadline?.remainingMs,
    contextValues: new SharedContextValues(contextValues),
    onHeader: metadata.onHeader,
    onTrailer: metadata.onTrailer,
  };
}

/** To Connect, zero and less is no time limit. */
function deadlineIn(timeoutMs: number | undefined): Deadline | undefined {
  return timeoutMs === undefined || !(timeoutMs > 0) ? undefined : new Deadline(timeoutMs);
}

function limits(signal: AbortSignal | undefined, deadline: Deadline | undefined): CallLimits {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(deadline === undefined || deadline.timeoutMs > maxTimerMs ? {} : { timeoutMs: deadline.timeoutMs }),
  };
}

interface CallLimits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

function checkInterceptors(interceptors: readonly Interceptor[]): Interceptor[] {
  if (!Array.isArray(interceptors) || interceptors.some((each) => typeof each !== "function")) {
    throw new TypeError("interceptors must be an array of functions");
  }
  return [...interceptors];
}
