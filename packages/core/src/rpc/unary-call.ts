// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { checkMessageSize } from "../session/message-size.js";
import type { Session } from "../session/session.js";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { CallCompression } from "./call-compression.js";
import { ClientCall, type ClientCallInit, type ClientCallShape } from "./client-call.js";
import type { UnaryResponse } from "./interceptor.js";
import type { Method } from "./method.js";
import { type ResponseMetadataTeller, responseMetadataTeller } from "./response-metadata.js";
import type { SessionSource } from "./session-source.js";
import { SingleMessageReceiver, type SingleMessageReceiverInit } from "./single-message-receiver.js";
import { asNotStarted } from "./unreachable.js";

/** Makes a call with one request and one response. Rejects with a DrpcError. */
export function callUnary(source: SessionSource, init: ClientCallInit, request: Uint8Array): Promise<UnaryResponse> {
  return new Promise((resolve, reject) => new UnaryCall(source, init, request, resolve, reject).begin());
}

/**
 * The call itself, and what receives its response, in one object: functions of
 * their own would cost each call more than all that it sends.
 */
class UnaryCall implements ClientCallShape, SingleMessageReceiverInit {
  stream!: Stream;
  keeper: Stream | undefined;
  metadata: ResponseMetadataTeller | undefined;

  readonly #call: ClientCall;
  readonly #init: ClientCallInit;
  readonly #request: Uint8Array;
  readonly #resolve: (response: UnaryResponse) => void;
  readonly #reject: (reason: DrpcError) => void;
  #method: Method;
  #requestBody: Uint8Array;

  constructor(
    source: SessionSource,
    init: ClientCallInit,
    request: Uint8Array,
    resolve: (response: UnaryResponse) => void,
    reject: (reason: DrpcError) => void,
  ) {
    this.#call = new ClientCall(source, init, this);
    this.#init = init;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#method = init.method;
    this.#requestBody = request;
  }

  begin(): void {
    this.#call.begin();
  }

  prepare(session: Session, compression: CallCompression | undefined): void {
    // For each attempt anew: the peer may be another one.
    const { method } = this.#init;
    this.#method = compression?.method(method) ?? method;
    this.#requestBody =
      compression === undefined ? this.#request : compressRequest(compression, method.path, this.#request);
    checkMessageSize(method.path, this.#requestBody.length, session.maxSendBytes, session.limits, true);
  }

  createReceiver(stream: Stream, session: Session): SingleMessageReceiver {
    this.stream = stream;
    // A ts-drpc peer ends the stream right behind the answer; what a Go peer does then is a race.
    this.keeper = session.peerSettings === undefined ? undefined : stream;
    this.metadata = responseMetadataTeller(this.#init, (error) => this.#giveUp(error));
    return new SingleMessageReceiver(this);
  }

  sendRequest(stream: Stream): void {
    sendOnly(stream, this.#requestBody);
  }

  repeatable(): boolean {
    return true;
  }

  received(body: Uint8Array): void {
    const { stream } = this;
    let message: MessageShape<DescMessage>;
    try {
      message = this.#method.output.decode(body);
    } catch (reason) {
      this.#giveUp(undecodableResponse(this.#method.path, reason));
      return;
    }
    this.#resolve({ stream: false, message });
    if (!stream.terminated) {
      // If the peer's CloseSend is in the same chunk there is nothing left to say.
      queueMicrotask(() => stream.close());
    }
  }

  outcome(error: DrpcError): DrpcError | undefined {
    return this.#call.outcome(error);
  }

  failed(error: DrpcError | undefined): void {
    this.#reject(error ?? missingResponse(this.#method.path));
  }

  terminated(): void {
    this.#call.terminated();
  }

  #giveUp(error: DrpcError): void {
    this.#reject(error);
    this.#call.cancel(error);
  }
}

function compressRequest(compression: CallCompression, path: string, request: Uint8Array): Uint8Array {
  try {
    return compression.compress(request);
  } catch (reason) {
    throw reason instanceof DrpcError ? asNotStarted(reason) : unencodableRequest(path, reason, true);
  }
}

/** Sends the one request of a call, and says that no other follows. */
function sendOnly(stream: Stream, request: Uint8Array): void {
  const accepted = stream.send(request);
  if (accepted === undefined) {
    stream.closeSend();
  } else {
    accepted.then(
      () => stream.closeSend(),
      () => {
        // The stream ended first, and the call has failed with the reason.
      },
    );
  }
}

/** Makes the error for a call that the peer ended as if all were well, but without the one response. */
export function missingResponse(path: string): DrpcError {
  // https://grpc.github.io/grpc/core/md_doc_statuscodes.html: a response cardinality violation is Unimplemented.
  return new DrpcError(`${path}: the peer ended the call without a response`, Code.Unimplemented);
}

/** Makes the error for a response that is no message of its type, or could not be decompressed. */
export function undecodableResponse(path: string, reason: unknown): DrpcError {
  if (reason instanceof DrpcError) {
    return reason;
  }
  const text = `${path}: the response could not be decoded: ${DrpcError.from(reason).rawMessage}`;
  return new DrpcError(text, Code.Internal, { cause: reason });
}

/** Encodes the one request of a call that has not begun. Throws a DrpcError if it cannot be. */
export function encodeRequest({ method }: ClientCallInit, request: MessageInitShape<DescMessage>): Uint8Array {
  try {
    return method.input.encode(request);
  } catch (reason) {
    throw unencodableRequest(method.path, reason, true);
  }
}

/** Makes the error for a request that cannot be encoded. */
export function unencodableRequest(path: string, reason: unknown, notStarted: boolean): DrpcError {
  const text = `${path}: the request could not be encoded: ${DrpcError.from(reason).rawMessage}`;
  return new DrpcError(text, Code.Internal, { cause: reason, notStarted });
}
