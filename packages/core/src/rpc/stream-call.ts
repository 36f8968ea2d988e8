// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { MessageCodec } from "../codec/message-codec.js";
import type { Stream } from "../session/stream.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { CallCompression } from "./call-compression.js";
import { ClientCall, type ClientCallInit } from "./client-call.js";
import { dismiss, MessagePump } from "./message-pump.js";
import type { Method } from "./method.js";
import { ReceiveQueue } from "./receive-queue.js";
import { responseMetadataTeller } from "./response-metadata.js";
import type { SessionSource } from "./session-source.js";
import { undecodableResponse, unencodableRequest } from "./unary-call.js";
import { asNotStarted } from "./unreachable.js";

type Message = MessageShape<DescMessage>;
type Requests = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;

/**
 * Makes a call that streams its requests, its responses, or both, and returns
 * the responses. Leaving their iteration early cancels the call.
 */
export function callStream(
  source: SessionSource,
  init: ClientCallInit,
  requests: Requests,
): AsyncIterableIterator<Message> {
  const { path } = init.method;
  let compression: CallCompression | undefined;
  let { output } = init.method;
  let pump: { stop(reason?: DrpcError): void } | undefined;
  let stream: Stream | undefined;
  // The one request of a method that has but one, kept for as long as it may have to be sent again.
  let only: Uint8Array | undefined;

  const responses: ReceiveQueue<Message> = new ReceiveQueue({
    decode: (body) => output.decode(body),
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
      pump?.stop(cause);
      call.terminated();
    },
    begun: () => {
      only = undefined;
    },
    outcome: (error) => call.outcome(error),
  });

  const fail = (error: DrpcError): void => {
    responses.fail(error);
    call.cancel(error);
  };

  const compress = (message: Uint8Array): Uint8Array => compression?.compress(message) ?? message;
  const { input, desc } = init.method;
  const keepsOnly = desc.methodKind === "server_streaming";
  const encode = encodeRequests(
    init.method,
    (message) => {
      if (keepsOnly) {
        only = message;
      }
      return compress(message);
    },
    (request) => (keepsOnly || compression !== undefined ? input.encode(request) : input.encodeBorrowed(request)),
  );

  const call: ClientCall = new ClientCall(source, init, {
    prepare: (_session, accepted) => {
      // For each attempt anew: the peer may be another one.
      compression = accepted;
      output = (accepted?.method(init.method) ?? init.method).output;
    },
    createReceiver: (opened) => {
      stream = opened;
      return responses.attach(opened);
    },
    sendRequest: (opened) => {
      const failed = (reason: unknown): void => {
        const error = DrpcError.from(reason);
        // A handler with one request is not called before that has come.
        const unasked = init.method.desc.methodKind === "server_streaming" && opened.sentMessages === 0;
        fail(unasked ? asNotStarted(error) : error);
      };
      const next =
        only === undefined
          ? new MessagePump({ stream: opened, source: requests, encode, failed })
          : new MessagePump({ stream: opened, source: [only], encode: compress, failed });
      pump = next;
      next.start();
    },
    repeatable: () => pump === undefined || only !== undefined,
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

/** Tells whether requests can be iterated over. */
export function isIterable(requests: unknown): boolean {
  return Symbol.asyncIterator in Object(requests) || Symbol.iterator in Object(requests);
}

const asTheyAre = (message: Uint8Array): Uint8Array => message;

/**
 * Encodes the requests of a call, and sees to it that a method with one request
 * gets no second. By default the bytes are the caller's to keep.
 */
export function encodeRequests(
  method: Method,
  compress: (message: Uint8Array) => Uint8Array = asTheyAre,
  encode: MessageCodec["encode"] = method.input.encode,
): (request: MessageInitShape<DescMessage>) => Uint8Array {
  const single = method.desc.methodKind === "server_streaming";
  let count = 0;
  return (request) => {
    count++;
    if (single && count > 1) {
      throw new DrpcError(`${method.path}: the method takes one request, and got another`, Code.InvalidArgument);
    }
    try {
      return compress(encode(request));
    } catch (reason) {
      throw reason instanceof DrpcError ? reason : unencodableRequest(method.path, reason, false);
    }
  };
}
