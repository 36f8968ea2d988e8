// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { checkMessageSize } from "../session/message-size.js";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { CallCompression } from "./call-compression.js";
import { ClientCall, type ClientCallInit } from "./client-call.js";
import type { UnaryResponse } from "./interceptor.js";
import { responseMetadataTeller } from "./response-metadata.js";
import type { SessionSource } from "./session-source.js";
import { SingleMessageReceiver } from "./single-message-receiver.js";
import { asNotStarted } from "./unreachable.js";

// One for all calls: each function costs every call memory.
const always = (): boolean => true;

/** Makes a call with one request and one response. Rejects with a DrpcError. */
export function callUnary(source: SessionSource, init: ClientCallInit, request: Uint8Array): Promise<UnaryResponse> {
  return new Promise((resolve, reject) => {
    let { method } = init;
    let requestBody = request;

    const answered = (stream: Stream, body: Uint8Array): void => {
      let message: MessageShape<DescMessage>;
      try {
        message = method.output.decode(body);
      } catch (reason) {
        const error = undecodableResponse(method.path, reason);
        reject(error);
        call.cancel(error);
        return;
      }
      resolve({ stream: false, message });
      if (!stream.terminated) {
        // If the peer's CloseSend is in the same chunk there is nothing left to say.
        queueMicrotask(() => stream.close());
      }
    };

    const call = new ClientCall(source, init, {
      prepare: (session, compression) => {
        // For each attempt anew: the peer may be another one.
        method = compression?.method(init.method) ?? init.method;
        requestBody = compression === undefined ? request : compressRequest(compression, method.path, request);
        checkMessageSize(method.path, requestBody.length, session.maxSendBytes, session.limits, true);
      },
      createReceiver: (stream, session) =>
        new SingleMessageReceiver({
          stream,
          // A ts-drpc peer ends the stream right behind the answer; what a Go peer does then is a race.
          keeper: session.peerSettings === undefined ? undefined : stream,
          metadata: responseMetadataTeller(init, (error) => {
            reject(error);
            call.cancel(error);
          }),
          received: (body) => answered(stream, body),
          outcome: (error) => call.outcome(error),
          failed: (error) => reject(error ?? missingResponse(method.path)),
          terminated: () => call.terminated(),
        }),
      sendRequest: (stream) => sendOnly(stream, requestBody),
      repeatable: always,
      failed: reject,
    });
    call.begin();
  });
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
