// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { PeerInfo } from "../vocabulary/connection.js";
import type { ContextValues } from "../vocabulary/context-values.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { callable, optionalCallable } from "../vocabulary/option-values.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import type { Deadline } from "./deadline.js";
import { askGate, type Gate } from "./gate.js";
import type { HandlerContext } from "./handler.js";
import { interceptServe } from "./intercepted-serve.js";
import { checkInterceptors, type Interceptor } from "./interceptor.js";
import type { Method } from "./method.js";
import type { Route, Serve } from "./router.js";
import { ServerContext } from "./server-context.js";

/** Options of whatever serves the routes of a router, by whichever protocol. */
export interface RouteOptions {
  /** Wraps every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /**
   * Is told what handlers threw that is not a DrpcError, as their callers are
   * only told that the handler failed. Defaults to `console.error`.
   */
  readonly onError?: ((reason: unknown, context: HandlerContext) => void) | undefined;

  /**
   * Decides on each call before any byte of its messages is stored. Defaults
   * to letting all calls through.
   */
  readonly gate?: Gate | undefined;
}

/** How a call begins, whichever protocol brought it. */
export interface RouteCallHead {
  readonly peer: PeerInfo;

  /** What the caller sent, without what is meant for the protocol. Bytes are base64. */
  readonly metadata: MetadataEntries;

  /** When the call must be over. */
  readonly deadline: Deadline | undefined;

  /** True if the protocol is through with what it sends when `send` returns, or has made it its own. Defaults to false. */
  readonly borrowed?: boolean | undefined;

  /** What the protocol's own interceptors left for the handler. Defaults to nothing. */
  readonly contextValues?: ContextValues | undefined;
}

/** A call that may be served. */
export interface RouteCall {
  readonly method: Method;
  readonly context: ServerContext;

  /** Calls the function of the handler, through the interceptors. See {@link Serve}. */
  readonly serve: Serve;

  /** See {@link RouteCallHead}. */
  readonly borrowed?: boolean | undefined;

  /** Is told what the handler threw that its caller is not told. Never throws. */
  readonly onError: (reason: unknown, context: HandlerContext) => void;
}

/** RouteServer takes calls to the handlers of routes, by way of a gate and the interceptors. */
export class RouteServer {
  readonly #interceptors: readonly Interceptor[];
  readonly #onError: (reason: unknown, context: HandlerContext) => void;
  readonly #gate: Gate | undefined;

  /** Throws a TypeError that names the option if one has a wrong value. */
  constructor({ interceptors = [], onError = logError, gate }: RouteOptions) {
    this.#interceptors = checkInterceptors(interceptors);
    this.#onError = guarded(callable("onError", onError));
    this.#gate = optionalCallable("gate", gate);
  }

  /** Returns a call to serve, or why it is refused. */
  accept(
    { method, serve }: Route,
    { peer, metadata, deadline, borrowed, contextValues }: RouteCallHead,
  ): RouteCall | DrpcError {
    if (serve === undefined) {
      return new DrpcError(`${method.path} is not implemented`, Code.Unimplemented);
    }
    const context = new ServerContext(method.desc, peer, metadata, deadline, contextValues);
    const refusal = this.#gate && askGate(this.#gate, method.path, context, this.#onError);
    return (
      refusal ?? {
        method,
        context,
        borrowed,
        serve: this.#interceptors.length === 0 ? serve : interceptServe(this.#interceptors, method, serve),
        onError: this.#onError,
      }
    );
  }
}

/**
 * Returns what a caller is told of what its handler threw. What is no
 * DrpcError goes to `onError`, unless the call had ended and that is why.
 */
export function handlerFailure(call: RouteCall, reason: unknown, ended: boolean): DrpcError {
  if (reason instanceof DrpcError) {
    return reason;
  }
  // What a handler throws when its signal aborts is no fault.
  const ignored = ended && DrpcError.from(reason).code === Code.Canceled;
  if (!ignored) {
    call.onError(reason, call.context);
  }
  // What it was may be nobody else's business: a path, a query, a secret.
  return new DrpcError(`${call.method.path}: the handler failed`, Code.Unknown);
}

function logError(reason: unknown, context: HandlerContext): void {
  console.error(`the handler of ${context.service.typeName}.${context.method.name} failed:`, reason);
}

function guarded(onError: (reason: unknown, context: HandlerContext) => void): typeof onError {
  // Whoever reports errors must not bring down the connection, or the process, with one of its own.
  const complain = (second: unknown): void => console.error("onError threw:", second);
  return (reason, context) => {
    try {
      const reported: unknown = onError(reason, context);
      if (reported instanceof Promise) {
        reported.catch(complain);
      }
    } catch (second) {
      complain(second);
    }
  };
}
