// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, codeName } from "./code.js";
import { type ErrorDetail, findErrorDetails } from "./error-detail.js";

const noDetails: readonly ErrorDetail[] = [];
const brand = Symbol.for("ts-drpc.DrpcError");

/** Says more about a {@link DrpcError} than its message and its code. */
export interface DrpcErrorOptions {
  /** What made this error, if another error did. */
  readonly cause?: unknown;

  /** The code as the peer sent it. Defaults to `code`. */
  readonly wireCode?: bigint | undefined;

  /** True if the handler certainly never ran. Defaults to false. */
  readonly notStarted?: boolean | undefined;

  /** Messages that say more. They reach ts-drpc peers and gRPC, and CockroachDB's fork if errors are sent as it does. Defaults to none. */
  readonly details?: readonly ErrorDetail[] | undefined;
}

/**
 * The one error class of ts-drpc: every RPC that fails, fails with it.
 *
 * On a server, a handler throws it to answer with a code and a text of its
 * own. Anything else that a handler throws is kept from the caller.
 */
export class DrpcError extends Error {
  /** What kind of failure this is: one of {@link Code}, or an application's own number. */
  readonly code: number;

  /** The text without the name of the code in front, as it travels on the wire. */
  readonly rawMessage: string;

  /**
   * The code as it was on the wire. It differs from `code` where the peer sent
   * none (0) or a number above 2^53 - 1; `code` is then `Code.Unknown`.
   */
  readonly wireCode: bigint;

  /** True if the handler certainly never ran, so that the call may be made again without harm. */
  readonly notStarted: boolean;

  /** Messages that say more, such as a google.rpc.RetryInfo. */
  readonly details: readonly ErrorDetail[];

  /** Throws a RangeError if the code is not a whole number from 0 to 2^53 - 1. */
  constructor(message: string, code: number = Code.Unknown, options: DrpcErrorOptions = {}) {
    if (!Number.isSafeInteger(code) || code < 0) {
      throw new RangeError(`the code of a DrpcError must be a whole number from 0 to 2^53 - 1, got ${String(code)}`);
    }
    super(`[${codeName(code)}] ${message}`, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.rawMessage = message;
    this.wireCode = options.wireCode ?? BigInt(code);
    this.notStarted = options.notStarted ?? false;
    this.details = options.details ?? noDetails;
  }

  /** Returns the details of one type, decoded. Those that cannot be decoded are left out. */
  findDetails<Desc extends DescMessage>(desc: Desc): MessageShape<Desc>[] {
    return findErrorDetails(this.details, desc);
  }

  static {
    Object.defineProperty(DrpcError.prototype, "name", { value: "DrpcError", configurable: true, writable: true });
    Object.defineProperty(DrpcError.prototype, brand, { value: true });
  }

  /** Recognises a DrpcError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== DrpcError) {
      // An application's own subclass inherits this, and not every DrpcError is one of those.
      return super[Symbol.hasInstance](value);
    }
    try {
      return typeof value === "object" && value !== null && brand in value && hasFields(value as unknown as DrpcError);
    } catch {
      // A proxy may throw whenever it is looked at, and is none of ours.
      return false;
    }
  }

  /**
   * Turns whatever was thrown into a DrpcError: one that is already comes back
   * as it is, an `AbortError` is Canceled, a `TimeoutError` is
   * DeadlineExceeded, and all else is of the given code, Unknown by default,
   * with the reason as its cause.
   */
  static from(reason: unknown, code: number = Code.Unknown): DrpcError {
    if (reason instanceof DrpcError) {
      return reason;
    }
    const { name, message } = describe(reason);
    const ownCode = name === "AbortError" ? Code.Canceled : name === "TimeoutError" ? Code.DeadlineExceeded : code;
    return new DrpcError(message, ownCode, { cause: reason });
  }
}

/** Another version of this package may make errors that lack what this one relies on. */
function hasFields({ code, rawMessage, wireCode }: DrpcError): boolean {
  return Number.isSafeInteger(code) && typeof rawMessage === "string" && typeof wireCode === "bigint";
}

/** Says what was thrown, whatever it is: anything can be thrown, also what throws itself when it is looked at. */
function describe(reason: unknown): { readonly name: string; readonly message: string } {
  try {
    return reason instanceof Error
      ? { name: String(reason.name), message: String(reason.message) }
      : { name: "", message: String(reason) };
  } catch {
    return { name: "", message: `a value of type ${typeof reason}` };
  }
}
