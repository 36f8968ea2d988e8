// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Metadata, ServerDuplexStream } from "@grpc/grpc-js";
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

/** A call as grpc-js hands it to a handler. */
export type GrpcServerCall = ServerDuplexStream<Uint8Array, Uint8Array>;

/** ServerStream carries a call of grpc-js to a handler, as a stream of a session does. */
export class ServerStream implements HandlerStream {
  readonly path: string;
  terminated = false;

  readonly #call: GrpcServerCall;
  readonly #limit: MessageLimit;
  readonly #writer: MessageWriter;
  #feed: MessageFeed | undefined;
  #receiver: StreamReceiver | undefined;
  #receiving = true;
  #single = false;
  #request: Uint8Array | undefined;
  #trailer: Metadata = new UnpaddedMetadata();

  constructor(path: string, call: GrpcServerCall, limit: MessageLimit) {
    this.path = path;
    this.#call = call;
    this.#limit = limit;
    this.#writer = new MessageWriter(call);
  }

  /** Starts to give what comes to a receiver. */
  start(receiver: StreamReceiver, deadlinePassed: () => boolean): void {
    this.#receiver = receiver;
    // It is emitted at the end of every call, whichever way that came.
    this.#call.once("cancelled", () => {
      const [text, code] = deadlinePassed()
        ? (["the deadline passed", Code.DeadlineExceeded] as const)
        : (["the caller canceled the call, or its connection was lost", Code.Canceled] as const);
      const cause = new DrpcError(`${this.path}: ${text}`, code);
      this.#terminate(cause);
    });
    this.#feed = new MessageFeed(this.#call, (body) => this.#received(receiver, body));
    this.#call.once("end", () => this.#ended(undefined));
  }

  send(body: Uint8Array): Promise<void> | undefined {
    this.#limit.checkSent(this.path, body);
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
    this.#call.end(this.#trailer);
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
    // grpc-js sends what was written before, and then this.
    this.#call.emit("error", toGrpcStatus(error, this.#trailer));
    this.#terminate(error);
  }

  fail(error: DrpcError): void {
    this.sendError(error);
  }

  consume(bytes: number): void {
    if (!this.#single) {
      this.#feed?.consume(bytes);
    }
  }

  expectMessage(): void {
    this.#single = true;
  }

  #received(receiver: StreamReceiver, body: Uint8Array): void {
    const tooLarge = this.#limit.receivedTooLarge(this.path, body);
    if (tooLarge !== undefined) {
      this.fail(tooLarge);
    } else if (!this.#single) {
      receiver.message(body);
    } else if (this.#request === undefined) {
      this.#request = body;
      // However large it is, the end behind it has to be read.
      this.#feed?.consume(body.length);
    } else {
      // https://grpc.github.io/grpc/core/md_doc_statuscodes.html: a request cardinality violation is Unimplemented.
      this.fail(new DrpcError(`${this.path}: the call has more than its one request`, Code.Unimplemented));
    }
  }

  #ended(error: DrpcError | undefined): void {
    if (this.#receiving) {
      this.#receiving = false;
      // Whether it is the only one is known now.
      if (error === undefined && this.#request !== undefined) {
        this.#receiver?.message(this.#request);
      }
      this.#receiver?.end(error);
    }
  }

  #terminate(cause: DrpcError | undefined): void {
    if (!this.terminated) {
      this.terminated = true;
      this.#writer.stop();
      this.#ended(cause);
      this.#receiver?.terminated(cause);
    }
  }
}
