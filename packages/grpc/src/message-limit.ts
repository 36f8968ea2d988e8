// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, DrpcError } from "@ts-drpc/core";
import { wholeNumber } from "@ts-drpc/core/adapter";

/** How large messages may be, in either direction. */
export interface MessageLimitOptions {
  /**
   * The largest message, in bytes, in either direction. A larger one fails its
   * call with ResourceExhausted. Defaults to 4 MiB, as in grpc-js.
   */
  readonly maxMessageBytes?: number | undefined;
}

/** Holds messages to a limit. */
export class MessageLimit {
  readonly maxMessageBytes: number;

  /** Throws a RangeError if the limit is no whole number. */
  constructor({ maxMessageBytes = 4 * 1024 * 1024 }: MessageLimitOptions) {
    this.maxMessageBytes = wholeNumber("maxMessageBytes", maxMessageBytes);
  }

  /** Throws a DrpcError if a message is too large to be sent. */
  checkSent(path: string, body: Uint8Array): void {
    if (body.length > this.maxMessageBytes) {
      throw this.#exceeded(`${path}: a message of ${body.length} bytes was not sent`);
    }
  }

  /** Returns an error if a message that came is too large. */
  receivedTooLarge(path: string, body: Uint8Array): DrpcError | undefined {
    return body.length > this.maxMessageBytes
      ? this.#exceeded(`${path}: the peer sent a message of ${body.length} bytes`)
      : undefined;
  }

  /** Returns what grpc-js says of a message above the limit that it was given, in words that name the option. */
  explain(path: string, error: DrpcError): DrpcError {
    const [, bytes, limit] = /^Received message larger than max \((\d+) vs (\d+)\)$/.exec(error.rawMessage) ?? [];
    return error.code === Code.ResourceExhausted && Number(limit) === this.maxMessageBytes
      ? this.#exceeded(`${path}: a message of ${bytes} bytes was not taken`)
      : error;
  }

  #exceeded(what: string): DrpcError {
    return new DrpcError(`${what}, the limit maxMessageBytes is ${this.maxMessageBytes}`, Code.ResourceExhausted);
  }
}
