// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext as ConnectContext } from "@connectrpc/connect";
import { Code, DrpcError, type PeerInfo } from "@ts-drpc/core";
import {
  Deadline,
  handlerFailure,
  maxErrorHeaderBytes,
  type Route,
  type RouteCall,
  type RouteServer,
} from "@ts-drpc/core/adapter";
import { SharedContextValues } from "./context-values.js";
import { toConnectError, toDrpcError, toTrailerError } from "./errors.js";
import { spellGrpcMessage } from "./grpc-message.js";
import { appendToHttpHeaders, httpEntries } from "./headers.js";
import { MessageIterator } from "./message-iterator.js";

type Init = MessageInitShape<DescMessage>;
type Message = MessageShape<DescMessage>;

/** What the calls of a router share. */
export interface DrpcCallHost {
  readonly routes: RouteServer;
  readonly peer: (context: ConnectContext) => PeerInfo;
}

/** Answers a call with one message. Rejects with a ConnectError. */
export async function serveMessage(
  host: DrpcCallHost,
  route: Route,
  request: unknown,
  context: ConnectContext,
): Promise<Message> {
  const call = new DrpcCall(host, route, context);
  return new Promise((resolve, reject) => {
    call.begin(reject);
    call
      .serve(request)
      .then((message) => {
        const response = call.message(message as Init);
        call.sendTrailer();
        // Connect aborts its signal at the end of every call, which is nothing that the handler should hear of.
        call.over();
        resolve(response);
      })
      .catch((reason) => {
        const failure = call.failure(reason);
        call.over();
        reject(failure);
      });
  });
}

/** Answers a call with any number of messages. */
export function serveStream(
  host: DrpcCallHost,
  route: Route,
  request: unknown,
  context: ConnectContext,
): AsyncIterable<Init> {
  const call = new DrpcCall(host, route, context);
  const responses: MessageIterator<Init> = new MessageIterator({
    open: async () => (await call.serve(request)) as AsyncIterable<Init>,
    message: (message) => call.message(message),
    ended: () => call.sendTrailer(),
    failure: (reason) => call.failure(reason),
    over: () => call.over(),
  });
  call.begin((error) => responses.fail(error));
  return responses;
}

/** DrpcCall takes a call from Connect to a DRPC handler, and holds it to Connect's signal. */
class DrpcCall {
  readonly #connectContext: ConnectContext;
  /** Whether errors travel in trailers. In Connect's own protocol they are bodies. */
  readonly #grpc: boolean;
  readonly #call: RouteCall;
  #failed: (reason: unknown) => void = () => undefined;
  #requests: MessageIterator<Message> | undefined;
  #ended: DrpcError | undefined;
  #headerSent = false;
  #trailerSent = false;

  /** Throws a ConnectError if the call is refused. */
  constructor({ routes, peer }: DrpcCallHost, route: Route, context: ConnectContext) {
    const { protocolName, responseTrailer } = context;
    this.#grpc = protocolName === "grpc" || protocolName === "grpc-web";
    if (protocolName === "grpc") {
      spellGrpcMessage(responseTrailer);
    }
    const timeoutMs = context.timeoutMs();
    const call = routes.accept(route, {
      peer: peer(context),
      metadata: httpEntries(context.requestHeader),
      deadline: timeoutMs === undefined ? undefined : new Deadline(timeoutMs),
      contextValues: new SharedContextValues(context.values),
    });
    if (call instanceof DrpcError) {
      throw this.#connectError(call);
    }
    this.#connectContext = context;
    this.#call = call;
  }

  /** Begins to watch the signal. `failed` is told when the call ends before it is over. */
  begin(failed: (reason: unknown) => void): void {
    const { signal } = this.#connectContext;
    this.#failed = failed;
    if (signal.aborted) {
      this.#aborted();
    } else {
      signal.addEventListener("abort", this.#aborted);
    }
  }

  /** Calls the handler. */
  async serve(request: unknown): Promise<unknown> {
    const { method, context, serve } = this.#call;
    const { methodKind } = method.desc;
    const streams = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    if (streams) {
      this.#requests = new MessageIterator({
        open: () => request as AsyncIterable<Message>,
        failure: (reason) => toDrpcError(reason),
      });
      if (this.#ended !== undefined) {
        this.#requests.fail(this.#ended);
      }
    }
    return await serve(this.#requests ?? request, context);
  }

  /** Checks a response, and sees to it that the header is ahead of the first. */
  message(message: Init): Message {
    const { method } = this.#call;
    if (typeof message !== "object" || message === null) {
      throw new TypeError(`${method.path}: the handler's response is ${String(message)}, not a message`);
    }
    this.#sendHeader();
    return create(method.desc.output, message);
  }

  /** Gives the trailer to Connect, and the header if there was no response. */
  sendTrailer(maxBytes?: number): void {
    this.#sendHeader();
    if (!this.#trailerSent) {
      this.#trailerSent = true;
      appendToHttpHeaders(this.#connectContext.responseTrailer, this.#call.context.responseTrailer, maxBytes);
    }
  }

  /** Returns what the caller gets for what the handler threw. */
  failure(reason: unknown): unknown {
    const error = handlerFailure(this.#call, reason, this.#ended !== undefined);
    try {
      this.sendTrailer(this.#grpc ? maxErrorHeaderBytes : undefined);
    } catch {
      // What went wrong first is what the caller should know.
    }
    return this.#connectError(error);
  }

  /** The handler has settled, or nobody waits for it any more. */
  over(): void {
    this.#connectContext.signal.removeEventListener("abort", this.#aborted);
  }

  #sendHeader(): void {
    if (!this.#headerSent) {
      this.#headerSent = true;
      appendToHttpHeaders(this.#connectContext.responseHeader, this.#call.context.responseHeader);
    }
  }

  readonly #aborted = (): void => {
    const { method, context } = this.#call;
    const late = context.deadline !== undefined && context.deadline.remainingMs <= 0;
    const error = abortError(method.path, this.#connectContext.signal.reason, late);
    this.#ended = error;
    this.#requests?.fail(error);
    context.abort(error);
    this.#failed(this.#connectError(error));
  };

  #connectError(error: DrpcError): unknown {
    return this.#grpc ? toTrailerError(error) : toConnectError(error);
  }
}

// What Connect makes of a connection that was lost, and of how HTTP/2 says that a stream is over.
const lost: readonly number[] = [Code.Unknown, Code.Aborted, Code.Internal];

/** Returns why Connect ended a call. A server that shuts down may have a reason of its own. */
function abortError(path: string, reason: unknown, late: boolean): DrpcError {
  const { code, rawMessage } = toDrpcError(reason);
  if (late || code === Code.DeadlineExceeded) {
    return new DrpcError(`${path}: the deadline passed`, Code.DeadlineExceeded, { cause: reason });
  }
  return lost.includes(code)
    ? new DrpcError(`${path}: the caller canceled the call, or its connection was lost`, Code.Canceled, {
        cause: reason,
      })
    : new DrpcError(`${path}: ${rawMessage}`, code, { cause: reason });
}
