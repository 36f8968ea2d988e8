// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethodStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, DrpcError, PushStream } from "@ts-drpc/core";
import { type ClientCallInit, dismiss, isIterable } from "@ts-drpc/core/adapter";
import { type CallHost, ConnectCall, type ConnectCallOptions } from "./connect-call.js";
import { MessageIterator } from "./message-iterator.js";

type Message = MessageShape<DescMessage>;
type Init = MessageInitShape<DescMessage>;

/**
 * Makes a call that streams its requests, its responses, or both, through a
 * Connect transport, and returns the responses. Leaving their iteration early
 * cancels the call.
 */
export function callStream(
  host: CallHost,
  init: ClientCallInit,
  requests: AsyncIterable<Init> | Iterable<Init>,
): AsyncIterableIterator<Message> {
  const { path } = init.method;
  const responses = new PushStream<Message>();
  const source = new MessageIterator<Init>({
    open: () => requests,
    failure: (reason) => {
      const error = DrpcError.from(reason);
      call.fail(error);
      return error;
    },
  });
  const stopSending = (reason: DrpcError): void => {
    void source.return(reason);
    if (!source.begun) {
      dismiss(requests, reason);
    }
  };
  const call = new ConnectCall(host, init, (error) => {
    responses.fail(error);
    stopSending(error);
  });

  if (!isIterable(requests)) {
    const text = `${path}: the requests must be an iterable of messages, got ${typeof requests}`;
    responses.fail(new DrpcError(text, Code.InvalidArgument, { notStarted: true }));
    return responses;
  }
  call.begin((options) => void receive(host, init, options, source, stopSending, call, responses));
  return {
    next: () => responses.next(),
    return() {
      const error = new DrpcError(`${path}: the caller left before the end`, Code.Canceled);
      stopSending(error);
      call.cancel(error);
      return responses.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Takes the responses, one when the one before has been read. Never rejects. */
async function receive(
  { transport }: CallHost,
  init: ClientCallInit,
  { signal, timeoutMs, header, contextValues }: ConnectCallOptions,
  source: MessageIterator<Init>,
  stopSending: (reason: DrpcError) => void,
  call: ConnectCall,
  responses: PushStream<Message>,
): Promise<void> {
  const method = init.method.desc as DescMethodStreaming;
  try {
    const response = await transport.stream(method, signal, timeoutMs, header, source, contextValues);
    call.header(response.header);
    for await (const message of response.message) {
      await responses.send(message);
    }
    call.trailer(response.trailer);
    call.ended();
    responses.close();
    stopSending(new DrpcError(`${init.method.path}: the call is over`, Code.Canceled));
  } catch (reason) {
    const error = call.failure(reason);
    call.ended();
    responses.fail(error);
    stopSending(error);
  }
}
