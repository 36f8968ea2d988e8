// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { HandlerContext } from "./handler.js";

/**
 * A Gate decides whether a call is served before any byte of its messages is
 * stored: on its method, its metadata and who calls. It refuses a call by
 * throwing a DrpcError, which the caller gets. What it puts into
 * `contextValues` is there for the interceptors and the handler.
 *
 * It must not be async: what has to wait for an answer is the work of an
 * interceptor. A gate that throws anything else, or returns anything, refuses the call
 * with Internal, and the server's `onError` is told.
 *
 * @example
 * const gate: Gate = ({ metadata }) => {
 *   if (metadata.get("authorization") !== token) throw new DrpcError("who are you?", Code.Unauthenticated);
 * };
 */
export type Gate = (context: HandlerContext) => void;

/** Asks a gate, and returns why the call is refused, or undefined if it is not. */
export function askGate(
  gate: Gate,
  path: string,
  context: HandlerContext,
  onError: (reason: unknown, context: HandlerContext) => void,
): DrpcError | undefined {
  try {
    const returned: unknown = gate(context);
    if (returned === undefined) {
      return undefined;
    }
    if (typeof (returned as { then?: unknown } | null)?.then === "function") {
      // Its rejection is nobody's any more.
      Promise.resolve(returned).catch(() => undefined);
      throw new TypeError("the gate returned a promise, and must decide before it returns");
    }
    throw new TypeError(
      "the gate returned a value; it must throw to refuse a call, and return nothing to let it through",
    );
  } catch (reason) {
    if (reason instanceof DrpcError) {
      return reason;
    }
    onError(reason, context);
    return new DrpcError(`${path}: the gate failed`, Code.Internal);
  }
}
