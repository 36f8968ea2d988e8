// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type Client, status as GrpcCode, type Metadata } from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import {
  CallScope,
  type ClientCallInit,
  encodeEntries,
  endedBefore,
  type MetadataEntries,
  type OpenCalls,
  ofMethod,
  ResponseMetadataTeller,
} from "@ts-drpc/core/adapter";
import { fromGrpcMetadata, toGrpcMetadata } from "./grpc-metadata.js";
import { fromGrpcStatus, type GrpcStatus } from "./grpc-status.js";
import type { MessageLimit } from "./message-limit.js";

/** What the calls of a transport share. */
export interface CallHost {
  readonly client: Client;
  readonly limit: MessageLimit;
  readonly openCalls: OpenCalls;
}

/** What grpc-js returns for a call, of whichever kind. */
interface GrpcCall {
  cancel(): void;
}

/**
 * ClientCall takes a call of grpc-js from its start to its end, and cancels it
 * when its signal or the transport says so. Its deadline is grpc-js's to watch.
 */
export class ClientCall {
  readonly #host: CallHost;
  readonly #init: ClientCallInit;
  readonly #failed: (error: DrpcError) => void;
  readonly #end = (error: DrpcError): void => this.fail(ofMethod(this.#init.method.path, error));
  readonly #teller: ResponseMetadataTeller;
  #scope: CallScope | undefined;
  #call: GrpcCall | undefined;
  #over = false;

  /** `failed` is told of a failure on this side, before grpc-js is. */
  constructor(host: CallHost, init: ClientCallInit, failed: (error: DrpcError) => void) {
    this.#host = host;
    this.#init = init;
    this.#failed = failed;
    this.#teller = new ResponseMetadataTeller(init, this.#end);
  }

  /** Starts the call by a function of grpc-js. */
  begin(start: (metadata: Metadata, options: { readonly deadline?: number }) => GrpcCall): void {
    const { method, signal, deadline, metadata, waitForReady } = this.#init;
    const { path } = method;
    const over = this.#host.openCalls.refusal ?? endedBefore(path, signal, deadline);
    if (over !== undefined) {
      this.#end(over);
      return;
    }
    this.#host.openCalls.add(this.#end);
    if (signal !== undefined) {
      this.#scope = new CallScope(path, signal, undefined, { endFromOutside: this.#end });
    }
    try {
      const grpcMetadata = toGrpcMetadata(encodeEntries(metadata, undefined, true));
      grpcMetadata.setOptions({ waitForReady });
      this.#call = start(grpcMetadata, deadline === undefined ? {} : { deadline: Date.now() + deadline.remainingMs });
    } catch (reason) {
      this.fail(notStarted(path, reason));
    }
  }

  /** The server's metadata came ahead of its messages. */
  header(metadata: Metadata): void {
    this.#teller.header(fromGrpcMetadata(metadata));
  }

  /** The server's metadata came behind its messages. */
  trailer(entries: MetadataEntries): void {
    this.#teller.trailer(entries);
  }

  /** The call is over: nothing on this side can end it any more. */
  ended(): void {
    this.#over = true;
    this.#scope?.dispose();
    this.#host.openCalls.delete(this.#end);
  }

  /** Returns what the call failed with, or undefined if it did not. */
  errorOf(status: GrpcStatus): DrpcError | undefined {
    if (status.code === GrpcCode.OK) {
      return undefined;
    }
    const { method, deadline } = this.#init;
    // A server that watches the deadline, too, resets the call, which may come ahead of grpc-js's own timer. That counts whole milliseconds.
    if (status.code === GrpcCode.CANCELLED && deadline !== undefined && deadline.remainingMs <= 1) {
      return new DrpcError(
        `${method.path}: the deadline passed, timeoutMs was ${deadline.timeoutMs}`,
        Code.DeadlineExceeded,
      );
    }
    return this.#host.limit.explain(method.path, fromGrpcStatus(status));
  }

  /** Ends the call because of something on this side, and tells the peer. */
  cancel(): void {
    if (!this.#over) {
      this.ended();
      this.#call?.cancel();
    }
  }

  /** Fails the call because of something on this side, and tells the peer. */
  fail(error: DrpcError): void {
    this.#failed(error);
    this.cancel();
  }
}

function notStarted(path: string, reason: unknown): DrpcError {
  if (reason instanceof DrpcError) {
    return new DrpcError(reason.rawMessage, reason.code, { cause: reason, notStarted: true });
  }
  // Of metadata that gRPC cannot carry, or of a client that was closed.
  const code = reason instanceof TypeError ? Code.InvalidArgument : Code.Unavailable;
  const { rawMessage } = DrpcError.from(reason);
  return new DrpcError(`${path}: the call was not made: ${rawMessage}`, code, { cause: reason, notStarted: true });
}
