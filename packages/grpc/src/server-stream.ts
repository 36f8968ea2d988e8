// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type {
  Metadata,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import {
  type HandlerStream,
  Kind,
  type MetadataEntries,
  maxErrorHeaderBytes,
  type StreamReceiver,
} from "@ts-drpc/core/adapter";
import { toGrpcMetadata } from "./grpc-metadata.js";
import { toGrpcStatus } from "./grpc-status.js";
import { MessageFeed } from "./message-feed.js";
import type { MessageLimit } from "./message-limit.js";
import { MessageWriter } from "./message-writer.js";
import { UnpaddedMetadata } from "./unpadded-metadata.js";

/** A call as grpc-js hands it to a handler, of whichever kind. */
export type GrpcServerCall =
  | ServerUnaryCall<Uint8Array, Uint8Array>
  | ServerReadableStream<Uint8Array, Uint8Array>
  | ServerWritableStream<Uint8Array, Uint8Array>
  | ServerDuplexStream<Uint8Array, Uint8Array>;

/** What grpc-js gives to a handler that answers with one message. */
export type GrpcCallback = sendUnaryData<Uint8Array>;

/** ServerStream carries a call of grpc-js to a handler, as a stream of a session does. */
export class ServerStream implements HandlerStream {
  readonly path: string;
  terminated = false;

  readonly #call: GrpcServerCall;
  readonly #callback: GrpcCallback | undefined;
  readonly #limit: MessageLimit;
  readonly #writer: MessageWriter | undefined;
  #feed: MessageFeed | undefined;
  #receiver: StreamReceiver | undefined;
  #receiving = true;
  #response: Uint8Array | undefined;
  #trailer: Metadata = new UnpaddedMetadata();

  /** The callback is missing if the method streams its responses. */
  constructor(path: string, call: GrpcServerCall, callback: GrpcCallback | undefined, limit: MessageLimit) {
    this.path = path;
    this.#call = call;
    this.#callback = callback;
    this.#limit = limit;
    this.#writer = callback === undefined ? new MessageWriter(call as Writable) : undefined;
  }

  /** Starts to give what comes to a receiver. */
  start(receiver: StreamReceiver, deadlinePassed: () => boolean): void {
    this.#receiver = receiver;
    // It is emitted at the end of every call, whichever way that came.
    (this.#call as EventEmitter).once("cancelled", () => {
      const [text, code] = deadlinePassed()
        ? (["the deadline passed", Code.DeadlineExceeded] as const)
        : (["the caller canceled the call, or its connection was lost", Code.Canceled] as const);
      const cause = new DrpcError(`${this.path}: ${text}`, code);
      this.#terminate(cause);
    });
    if ("request" in this.#call) {
      this.#received(receiver, this.#call.request);
      return;
    }
    const readable = this.#call as Readable;
    this.#feed = new MessageFeed(readable, (body) => this.#received(receiver, body));
    readable.once("end", () => this.#ended(undefined));
  }

  send(body: Uint8Array): Promise<void> | undefined {
    this.#limit.checkSent(this.path, body);
    if (this.#writer === undefined) {
      this.#response = body;
      return undefined;
    }
    return this.terminated ? undefined : this.#writer.write(body);
  }

  sendResponseMetadata(
    kind: typeof Kind.Header | typeof Kind.Trailer,
    entries: MetadataEntries,
    maxBytes?: number,
  ): void {
    if (entries.length === 0 || this.terminated) {
      return;
    }
    const metadata = toGrpcMetadata(entries, maxBytes);
    if (kind === Kind.Header) {
      this.#call.sendMetadata(metadata);
    } else {
      this.#trailer = metadata;
    }
  }

  closeSend(): void {
    if (this.terminated) {
      return;
    }
    // grpc-js says "OK" in it, and gRPC has it for errors.
    this.#trailer.set("grpc-message", "");
    if (this.#callback !== undefined) {
      this.#callback(null, this.#response, this.#trailer);
    } else {
      (this.#call as Writable).end(this.#trailer);
    }
    this.#terminate(undefined);
  }

  sendError(error: DrpcError, trailer: MetadataEntries = []): void {
    if (this.terminated) {
      return;
    }
    try {
      this.sendResponseMetadata(Kind.Trailer, trailer, maxErrorHeaderBytes);
    } catch {
      // What went wrong first is what the caller should know.
    }
    const status = toGrpcStatus(error, this.#trailer);
    if (this.#callback !== undefined) {
      this.#callback(status);
    } else {
      // grpc-js sends what was written before, and then this.
      this.#call.emit("error", status);
    }
    this.#terminate(error);
  }

  fail(error: DrpcError): void {
    this.sendError(error);
  }

  consume(bytes: number): void {
    this.#feed?.consume(bytes);
  }

  expectMessage(): void {
    // grpc-js has the one request of a call before it hands the call over.
  }

  #received(receiver: StreamReceiver, body: Uint8Array): void {
    const tooLarge = this.#limit.receivedTooLarge(this.path, body);
    if (tooLarge === undefined) {
      receiver.message(body);
    } else {
      this.fail(tooLarge);
    }
  }

  #ended(error: DrpcError | undefined): void {
    if (this.#receiving) {
      this.#receiving = false;
      this.#receiver?.end(error);
    }
  }

  #terminate(cause: DrpcError | undefined): void {
    if (!this.terminated) {
      this.terminated = true;
      this.#writer?.stop();
      this.#ended(cause);
      this.#receiver?.terminated(cause);
    }
  }
}
