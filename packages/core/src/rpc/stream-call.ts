// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { ClientCall, type ClientCallInit } from "./client-call.js";
import { dismiss, MessagePump } from "./message-pump.js";
import type { Method } from "./method.js";
import { ReceiveQueue } from "./receive-queue.js";
import { responseMetadataTeller } from "./response-metadata.js";
import type { SessionPool } from "./session-pool.js";
import { undecodableResponse, unencodableRequest } from "./unary-call.js";

type Message = MessageShape<DescMessage>;
type Requests = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;

/**
 * Makes a call that streams its requests, its responses, or both, and returns
 * the responses. Leaving their iteration early cancels the call.
 */
export function callStream(
  pool: SessionPool,
  init: ClientCallInit,
  requests: Requests,
): AsyncIterableIterator<Message> {
  let { method } = init;
  const { path } = method;
  let pump: MessagePump<MessageInitShape<DescMessage>> | undefined;
  let stream: Stream | undefined;

  const responses: ReceiveQueue<Message> = new ReceiveQueue({
    decode: (body) => method.output.decode(body),
    metadata: responseMetadataTeller(init, (error) => fail(error)),
    undecodable: (reason) => {
      const error = undecodableResponse(path, reason);
      call.cancel(error);
      return error;
    },
    abandoned: () => call.cancel(new DrpcError(`${path}: the caller left before the end`, Code.Canceled)),
    ended: (error) => {
      // A peer that sends no more has no use for more requests, and a Go peer may even hang on them.
      pump?.stop(error);
      stream?.closeSend();
    },
    terminated: (cause) => {
      call.terminated();
      pump?.stop(cause);
    },
  });

  const fail = (error: DrpcError): void => {
    responses.fail(error);
    call.cancel(error);
  };

  const call: ClientCall = new ClientCall(pool, init, {
    prepare(_session, compression) {
      method = compression?.method(method) ?? method;
    },
    createReceiver: (opened) => {
      stream = opened;
      return responses.attach(opened);
    },
    sendRequest: (opened) => {
      pump = new MessagePump({
        stream: opened,
        source: requests,
        encode: encodeRequests(method),
        failed: (reason) => fail(DrpcError.from(reason)),
      });
      pump.start();
    },
    failed: (error) => {
      responses.fail(error);
      if (pump === undefined) {
        dismiss(requests, error);
      }
    },
  });
  if (!isIterable(requests)) {
    const text = `${path}: the requests must be an iterable of messages, got ${typeof requests}`;
    responses.fail(new DrpcError(text, Code.InvalidArgument, { notStarted: true }));
    return responses;
  }
  call.begin();
  return responses;
}

function isIterable(requests: unknown): boolean {
  return Symbol.asyncIterator in Object(requests) || Symbol.iterator in Object(requests);
}

/** Encodes the requests of a call, and sees to it that a method with one request gets no second. */
function encodeRequests(method: Method): (request: MessageInitShape<DescMessage>) => Uint8Array {
  const single = method.desc.methodKind === "server_streaming";
  let count = 0;
  return (request) => {
    count++;
    if (single && count > 1) {
      throw new DrpcError(`${method.path}: the method takes one request, and got another`, Code.InvalidArgument);
    }
    try {
      return method.input.encode(request);
    } catch (reason) {
      throw reason instanceof DrpcError ? reason : unencodableRequest(method.path, reason, false);
    }
  };
}
