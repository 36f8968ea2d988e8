// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import {
  type ClientCallInit,
  dismiss,
  encodeRequests,
  isIterable,
  MessagePump,
  type MessageSink,
  type MetadataEntries,
  ReceiveQueue,
  undecodableResponse,
} from "@ts-drpc/core/adapter";
import { asBuffer } from "./as-buffer.js";
import { type CallHost, ClientCall } from "./client-call.js";
import { fromGrpcMetadata } from "./grpc-metadata.js";
import type { GrpcStatus } from "./grpc-status.js";
import { MessageFeed } from "./message-feed.js";
import type { MessageLimit } from "./message-limit.js";
import { MessageWriter } from "./message-writer.js";

type Message = MessageShape<DescMessage>;
type Requests = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;
type GrpcStream = ClientDuplexStream<Uint8Array, Uint8Array>;

/**
 * Makes a call that streams its requests, its responses, or both, over gRPC,
 * and returns the responses. Leaving their iteration early cancels the call.
 *
 * On the wire of gRPC all kinds are the same, so grpc-js is asked for the one
 * that covers all.
 */
export function callStream(host: CallHost, init: ClientCallInit, requests: Requests): AsyncIterableIterator<Message> {
  const { path, output } = init.method;
  let pump: MessagePump<MessageInitShape<DescMessage>> | undefined;
  let sink: RequestSink | undefined;

  const stopSending = (error: DrpcError | undefined): void => {
    sink?.stop();
    if (pump === undefined) {
      dismiss(requests, error ?? new DrpcError(`${path}: the call is over`, Code.Canceled));
    } else {
      pump.stop(error);
    }
  };

  const responses: ReceiveQueue<Message> = new ReceiveQueue<Message>({
    decode: output.decode,
    metadata: {
      header() {},
      trailer: (entries: MetadataEntries) => call.trailer(entries),
    },
    undecodable: (reason) => {
      const error = undecodableResponse(path, reason);
      stopSending(error);
      call.cancel();
      return error;
    },
    abandoned: () => {
      stopSending(new DrpcError(`${path}: the caller left before the end`, Code.Canceled));
      call.cancel();
    },
    terminated() {},
  });

  const call = new ClientCall(host, init, (error) => {
    responses.fail(error);
    stopSending(error);
  });

  if (!isIterable(requests)) {
    const text = `${path}: the requests must be an iterable of messages, got ${typeof requests}`;
    responses.fail(new DrpcError(text, Code.InvalidArgument, { notStarted: true }));
    return responses;
  }
  call.begin((metadata, options) => {
    const stream: GrpcStream = host.client.makeBidiStreamRequest(
      path,
      asBuffer,
      (body: Buffer): Uint8Array => body,
      metadata,
      options,
    );
    receive(stream, host.limit, path, call, responses, stopSending);
    sink = new RequestSink(stream, host.limit, path);
    pump = new MessagePump({
      stream: sink,
      source: requests,
      encode: encodeRequests(init.method),
      failed: (reason) => call.fail(DrpcError.from(reason)),
    });
    return stream;
  });
  pump?.start();
  return responses;
}

/** Gives what comes to those who wait for it. */
function receive(
  stream: GrpcStream,
  limit: MessageLimit,
  path: string,
  call: ClientCall,
  responses: ReceiveQueue<Message>,
  stopSending: (error: DrpcError | undefined) => void,
): void {
  let end: GrpcStatus | undefined;
  const feed = new MessageFeed(stream, (body) => {
    const tooLarge = limit.receivedTooLarge(path, body);
    if (tooLarge === undefined) {
      responses.message(body);
    } else {
      call.fail(tooLarge);
    }
  });
  responses.attach(feed);
  stream.on("metadata", (header) => call.header(header));
  stream.on("error", () => {
    // It says what the status says, which comes next.
  });
  stream.on("status", (status) => {
    end = status;
    call.ended();
    stopSending(call.errorOf(status));
  });
  // Once all messages have been taken from grpc-js, which the status does not wait for.
  stream.on("end", () => {
    if (end !== undefined) {
      responses.trailer(fromGrpcMetadata(end.metadata));
      responses.end(call.errorOf(end));
    }
  });
}

/** Takes the requests of a call. */
class RequestSink implements MessageSink {
  terminated = false;
  readonly #stream: GrpcStream;
  readonly #limit: MessageLimit;
  readonly #path: string;
  readonly #writer: MessageWriter;

  constructor(stream: GrpcStream, limit: MessageLimit, path: string) {
    this.#stream = stream;
    this.#limit = limit;
    this.#path = path;
    this.#writer = new MessageWriter(stream);
  }

  send(body: Uint8Array): Promise<void> | undefined {
    this.#limit.checkSent(this.#path, body);
    return this.terminated ? undefined : this.#writer.write(body);
  }

  closeSend(): void {
    if (!this.terminated) {
      this.#stream.end();
    }
  }

  /** The call is over. */
  stop(): void {
    this.terminated = true;
    this.#writer.stop();
  }
}
