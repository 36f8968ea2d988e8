// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { Kind } from "../wire/kind.js";
import { CallScope, type ScopeOwner } from "./call-scope.js";
import { isPromise } from "./is-promise.js";
import { MessagePump, type MessageSink } from "./message-pump.js";
import { type MessageSource, ReceiveQueue } from "./receive-queue.js";
import { handlerFailure, type RouteCall } from "./route-server.js";
import { SingleMessageReceiver, type SingleMessageReceiverInit } from "./single-message-receiver.js";

type Message = MessageInitShape<DescMessage>;
type Messages = AsyncIterable<MessageShape<DescMessage>>;

/** What a call needs of what carries it: a stream of a session, or its like in another protocol. */
export type HandlerStream = MessageSink &
  MessageSource &
  Pick<Stream, "path" | "expectMessage" | "fail" | "sendError" | "sendResponseMetadata">;

/**
 * HandlerCall takes an accepted call to its end: it gives the request to the
 * handler, sends what the handler answers, and turns whatever the handler
 * throws into an error that the caller may see.
 */
export class HandlerCall implements SingleMessageReceiverInit, ScopeOwner {
  /** Receives the caller's messages. */
  readonly receiver: StreamReceiver;

  readonly stream: HandlerStream;

  readonly #init: RouteCall;
  readonly #over: () => void;
  readonly #scope: CallScope | undefined;
  readonly #requests: ReceiveQueue<MessageShape<DescMessage>> | undefined;
  #responses: MessagePump<Message> | undefined;
  #running = false;
  #headerSent = false;

  /** `over` is called once: when the stream has ended and the handler has settled. */
  constructor(stream: HandlerStream, init: RouteCall, over: () => void) {
    this.#init = init;
    this.stream = stream;
    this.#over = over;
    const { method, context } = init;
    const { methodKind } = method.desc;
    if (methodKind === "client_streaming" || methodKind === "bidi_streaming") {
      this.#requests = new ReceiveQueue({
        decode: method.input.decode,
        undecodable: (reason) => {
          const error = this.#undecodable(reason);
          stream.sendError(error);
          return error;
        },
        // A handler that has heard enough may still answer.
        abandoned() {},
        terminated: (cause) => this.terminated(cause),
      });
      this.receiver = this.#requests.attach(stream);
    } else {
      stream.expectMessage();
      // With itself for the functions: closures would cost each call more memory than its messages.
      this.receiver = new SingleMessageReceiver(this);
    }
    if (context.deadline !== undefined) {
      this.#scope = new CallScope(stream.path, undefined, context.deadline, this);
    }
  }

  /** Runs the handler of a method that streams its requests. Any other runs when its request has come. */
  begin(): void {
    if (this.#requests !== undefined) {
      this.#run(this.#requests);
    }
  }

  /** The one request came. */
  received(body: Uint8Array): void {
    let request: MessageShape<DescMessage>;
    try {
      request = this.#init.method.input.decode(body);
    } catch (reason) {
      this.stream.fail(this.#undecodable(reason));
      return;
    }
    this.#run(request);
  }

  /** The one request will not come. */
  failed(error: DrpcError | undefined): void {
    if (error === undefined) {
      // https://grpc.github.io/grpc/core/md_doc_statuscodes.html: a request cardinality violation is Unimplemented.
      const text = `${this.stream.path}: the call ended without its request`;
      this.stream.fail(new DrpcError(text, Code.Unimplemented));
    }
  }

  #undecodable(reason: unknown): DrpcError {
    if (reason instanceof DrpcError) {
      return reason;
    }
    const text = `${this.stream.path}: the request could not be decoded: ${DrpcError.from(reason).rawMessage}`;
    return new DrpcError(text, Code.Internal, { cause: reason });
  }

  #run(request: MessageShape<DescMessage> | Messages): void {
    this.#running = true;
    try {
      const result = this.#init.serve(request, this.#init.context);
      if (isPromise(result)) {
        result.then(
          (settled) => this.#answer(settled),
          (reason) => this.#fail(reason),
        );
      } else {
        this.#answer(result);
      }
    } catch (reason) {
      this.#fail(reason);
    }
  }

  /** Sends what the handler returned: a message, or all that an iterable gives. */
  #answer(result: unknown): void {
    if (this.stream.terminated) {
      this.#settle();
      return;
    }
    const { methodKind } = this.#init.method.desc;
    if (methodKind === "server_streaming" || methodKind === "bidi_streaming") {
      this.#responses = new MessagePump<Message>({
        stream: this.stream,
        source: result as AsyncIterable<Message>,
        encode: (message) => this.#encode(message),
        ending: () => this.#sendTrailer(),
        failed: (reason) => this.#report(reason),
        settled: () => this.#settle(),
      });
      this.#responses.start();
      return;
    }
    try {
      const accepted = this.stream.send(this.#encode(result as Message));
      if (accepted === undefined) {
        this.#finish();
      } else {
        accepted.then(
          () => this.#finish(),
          (reason) => this.#fail(reason),
        );
      }
    } catch (reason) {
      this.#fail(reason);
    }
  }

  #encode(message: Message): Uint8Array {
    if (typeof message !== "object" || message === null) {
      throw new TypeError(`${this.stream.path}: the handler's response is ${String(message)}, not a message`);
    }
    this.#sendHeader();
    try {
      const { output } = this.#init.method;
      return this.#init.borrowed === true ? output.encodeBorrowed(message) : output.encode(message);
    } catch (reason) {
      if (reason instanceof DrpcError) {
        throw reason;
      }
      throw new TypeError(`${this.stream.path}: the handler's response could not be encoded: ${String(reason)}`, {
        cause: reason,
      });
    }
  }

  #finish(): void {
    try {
      this.#sendTrailer();
      this.stream.closeSend();
    } catch (reason) {
      this.#report(reason);
    }
    this.#settle();
  }

  #sendHeader(): void {
    if (!this.#headerSent) {
      this.#headerSent = true;
      this.stream.sendResponseMetadata(Kind.Header, this.#init.context.headerEntries);
    }
  }

  #sendTrailer(): void {
    this.#sendHeader();
    this.stream.sendResponseMetadata(Kind.Trailer, this.#init.context.trailerEntries);
  }

  #sendError(error: DrpcError): void {
    try {
      this.#sendHeader();
    } catch {
      // What went wrong first is what the caller should know.
    }
    this.stream.sendError(error, this.#init.context.trailerEntries);
  }

  #fail(reason: unknown): void {
    this.#report(reason);
    this.#settle();
  }

  #report(reason: unknown): void {
    this.#sendError(handlerFailure(this.#init, reason, this.stream.terminated));
  }

  /** The handler has settled. */
  #settle(): void {
    if (!this.#running) {
      return;
    }
    this.#running = false;
    // What the caller still sends is of no use to anyone.
    void this.#requests?.return();
    if (this.stream.terminated) {
      this.#over();
    }
  }

  /** The deadline has passed. */
  endFromOutside(error: DrpcError): void {
    this.stream.sendError(error);
  }

  /** The stream has ended. */
  terminated(cause: DrpcError | undefined): void {
    this.#scope?.dispose();
    if (cause !== undefined) {
      this.#requests?.fail(cause);
      this.#init.context.abort(cause);
      this.#responses?.stop();
    }
    if (!this.#running) {
      this.#over();
    }
  }
}
