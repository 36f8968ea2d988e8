// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import { type HandlerContext as ConnectContext, ConnectError, createHandlerContext } from "@connectrpc/connect";
import { Code, DrpcError, type HandlerContext, type Metadata } from "@ts-drpc/core";
import { decodeEntries } from "@ts-drpc/core/adapter";
import type { ConnectServeOptions } from "./connect-serve.js";
import { toConnectContextValues } from "./context-values.js";
import { isReceived, toConnectError, toDrpcError } from "./errors.js";
import { appendToHeaders, httpEntries, toMetadata } from "./headers.js";

/** ConnectContextScope is the context of a DRPC call as Connect has it, until the call is over. */
export class ConnectContextScope {
  readonly context: ConnectContext;

  /** What becomes the metadata of the DRPC call: an interceptor may put others in place of the context's. */
  responseHeader: Headers;
  responseTrailer: Headers;

  readonly #drpcContext: HandlerContext;
  readonly #controller = new AbortController();
  readonly #end: () => void;
  #headerSent = false;

  /** Throws a DrpcError if the call cannot be served. */
  constructor(method: DescMethod, drpcContext: HandlerContext, options: ConnectServeOptions) {
    const { signal, deadline, contextValues } = drpcContext;
    const { shutdownSignal, maxTimeoutMs = Number.POSITIVE_INFINITY } = options;
    const path = `/${method.parent.typeName}/${method.name}`;
    if (deadline !== undefined && deadline.timeoutMs > maxTimeoutMs) {
      const text = `${path}: the timeout is ${deadline.timeoutMs} ms, the limit maxTimeoutMs is ${maxTimeoutMs}`;
      throw new DrpcError(text, Code.InvalidArgument);
    }
    const context = createHandlerContext({
      service: method.parent,
      method,
      protocolName: "drpc",
      requestMethod: "POST",
      url: `drpc:///${path.slice(1)}`,
      requestSignal: this.#controller.signal,
      ...(shutdownSignal === undefined ? {} : { shutdownSignal }),
      requestHeader: requestHeader(path, drpcContext),
      contextValues: toConnectContextValues(contextValues),
    });
    // Connect would set a timer, but the DRPC server keeps the deadline already.
    this.context = { ...context, timeoutMs: () => deadline?.remainingMs };
    this.responseHeader = context.responseHeader;
    this.responseTrailer = context.responseTrailer;
    this.#drpcContext = drpcContext;
    this.#end = () => context.abort();
    if (signal.aborted) {
      this.#aborted();
    } else {
      signal.addEventListener("abort", this.#aborted);
    }
  }

  /** Gives the header to the DRPC call. */
  sendHeader(): void {
    if (!this.#headerSent) {
      this.#headerSent = true;
      add(this.#drpcContext.responseHeader, toMetadata(this.responseHeader));
    }
  }

  /** Gives the trailer to the DRPC call, and the header if there was no response. */
  sendTrailer(): void {
    this.sendHeader();
    add(this.#drpcContext.responseTrailer, toMetadata(this.responseTrailer));
  }

  /** Returns what the DRPC call fails with for what code for Connect threw. */
  failure(reason: unknown): unknown {
    this.sendTrailer();
    if (!(reason instanceof ConnectError)) {
      // The DRPC server reports it, and keeps it from the caller.
      return reason;
    }
    // What another server sent with its error is not for this caller.
    if (!isReceived(reason)) {
      add(this.#drpcContext.responseTrailer, decodeEntries(httpEntries(reason.metadata)));
    }
    return toDrpcError(reason);
  }

  /** The call is over. Connect's signal aborts then, too. */
  dispose(): void {
    this.#drpcContext.signal.removeEventListener("abort", this.#aborted);
    this.#end();
  }

  readonly #aborted = (): void => {
    this.#controller.abort(toConnectError(DrpcError.from(this.#drpcContext.signal.reason)));
  };
}

function add(metadata: Metadata, more: Metadata): void {
  for (const [key, value] of more) {
    metadata.append(key, value);
  }
}

function requestHeader(path: string, { metadata }: HandlerContext): Headers {
  const headers = new Headers();
  try {
    appendToHeaders(headers, metadata);
  } catch (reason) {
    throw new DrpcError(`${path}: ${DrpcError.from(reason).rawMessage}`, Code.InvalidArgument, { cause: reason });
  }
  return headers;
}
