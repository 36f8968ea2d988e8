// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ConnectError, type ContextValues, createContextValues, type Transport } from "@connectrpc/connect";
import { Code, DrpcError, Metadata } from "@ts-drpc/core";
import {
  CallScope,
  type ClientCallInit,
  endedBefore,
  type OpenCalls,
  ofMethod,
  ResponseMetadataTeller,
} from "@ts-drpc/core/adapter";
import { toConnectContextValues } from "./context-values.js";
import { toDrpcError } from "./errors.js";
import { appendToHttpHeaders, httpEntries } from "./headers.js";

// Longer than this, Connect's timer fires at once. The deadline is kept here, however long it is.
const maxTimerMs = 0x7fff_ffff;

/** What the calls of a transport share. */
export interface CallHost {
  readonly transport: Transport;
  readonly openCalls: OpenCalls;
}

/** What a Connect transport takes with every call. */
export interface ConnectCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly header: Headers;
  readonly contextValues: ContextValues;
}

/**
 * ConnectCall takes a call of a Connect transport from its start to its end,
 * and cancels it when its signal, its deadline or the transport says so.
 */
export class ConnectCall {
  readonly #host: CallHost;
  readonly #init: ClientCallInit;
  readonly #failed: (error: DrpcError) => void;
  readonly #end = (error: DrpcError): void => this.fail(ofMethod(this.#init.method.path, error));
  readonly #teller: ResponseMetadataTeller;
  readonly #controller = new AbortController();
  #scope: CallScope | undefined;
  #header: Headers | undefined;
  #over = false;

  /** `failed` is told of a failure on this side, before the Connect transport is. */
  constructor(host: CallHost, init: ClientCallInit, failed: (error: DrpcError) => void) {
    this.#host = host;
    this.#init = init;
    this.#failed = failed;
    this.#teller = new ResponseMetadataTeller(init, this.#end);
  }

  /** Starts the call by a function of the Connect transport. */
  begin(start: (options: ConnectCallOptions) => void): void {
    const { method, signal, deadline, metadata, contextValues } = this.#init;
    const { path } = method;
    const over = this.#host.openCalls.refusal ?? endedBefore(path, signal, deadline);
    if (over !== undefined) {
      this.#over = true;
      this.#failed(ofMethod(path, over));
      return;
    }
    this.#host.openCalls.add(this.#end);
    if (signal !== undefined || deadline !== undefined) {
      this.#scope = new CallScope(path, signal, deadline, { endFromOutside: this.#end });
    }
    try {
      start({
        signal: this.#controller.signal,
        timeoutMs: deadline && Math.min(Math.max(1, Math.ceil(deadline.remainingMs)), maxTimerMs),
        header: headersOf(path, metadata),
        contextValues: contextValues === undefined ? createContextValues() : toConnectContextValues(contextValues),
      });
    } catch (reason) {
      this.fail(toDrpcError(reason));
    }
  }

  /** The server's metadata came ahead of its messages. */
  header(header: Headers): void {
    this.#header = header;
    if (!this.#over) {
      this.#teller.header(httpEntries(header));
    }
  }

  /** The server's metadata came behind its messages. */
  trailer(trailer: Headers): void {
    if (!this.#over) {
      this.#teller.trailer(httpEntries(trailer));
    }
  }

  /** The Connect transport failed. Returns the error, once the caller has been told of the metadata with it. */
  failure(reason: unknown): DrpcError {
    if (!this.#over && reason instanceof ConnectError) {
      // Connect has all metadata in one, also what came ahead of the messages.
      const header = this.#header;
      this.#teller.trailer(httpEntries(reason.metadata).filter(([key]) => header?.has(key) !== true));
    }
    return toDrpcError(reason);
  }

  /** The call is over: nothing on this side can end it any more. */
  ended(): void {
    this.#over = true;
    this.#scope?.dispose();
    this.#host.openCalls.delete(this.#end);
  }

  /** Ends the call because of something on this side, and tells the Connect transport. */
  cancel(error: DrpcError): void {
    if (!this.#over) {
      this.ended();
      this.#controller.abort(new ConnectError(error.rawMessage, error.code, undefined, undefined, error));
    }
  }

  /** Fails the call because of something on this side, and tells the Connect transport. */
  fail(error: DrpcError): void {
    if (!this.#over) {
      this.#failed(error);
      this.cancel(error);
    }
  }
}

function headersOf(path: string, metadata = new Metadata()): Headers {
  const headers = new Headers();
  try {
    appendToHttpHeaders(headers, metadata);
  } catch (reason) {
    const text = `${path}: the call was not made: ${DrpcError.from(reason).rawMessage}`;
    throw new DrpcError(text, Code.InvalidArgument, { cause: reason, notStarted: true });
  }
  return headers;
}
