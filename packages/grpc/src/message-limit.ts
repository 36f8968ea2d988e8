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

  /**
   * The largest message that this side sends, in bytes, if that is to differ
   * from what it takes. Defaults to `maxMessageBytes`.
   */
  readonly maxSendMessageBytes?: number | undefined;
}

/** Holds messages to a limit. */
export class MessageLimit {
  readonly maxMessageBytes: number;
  readonly maxSendMessageBytes: number;

  /** Throws a RangeError if a limit is no whole number. */
  constructor({ maxMessageBytes = 4 * 1024 * 1024, maxSendMessageBytes = maxMessageBytes }: MessageLimitOptions) {
    this.maxMessageBytes = wholeNumber("maxMessageBytes", maxMessageBytes);
    this.maxSendMessageBytes = wholeNumber("maxSendMessageBytes", maxSendMessageBytes);
  }

  /** Throws a DrpcError if a message is too large to be sent. */
  checkSent(path: string, body: Uint8Array): void {
    if (body.length > this.maxSendMessageBytes) {
      const option = this.maxSendMessageBytes === this.maxMessageBytes ? "maxMessageBytes" : "maxSendMessageBytes";
      throw exceeded(`${path}: a message of ${body.length} bytes was not sent`, option, this.maxSendMessageBytes);
    }
  }

  /** Returns an error if a message that came is too large. */
  receivedTooLarge(path: string, body: Uint8Array): DrpcError | undefined {
    return body.length > this.maxMessageBytes
      ? exceeded(`${path}: the peer sent a message of ${body.length} bytes`, "maxMessageBytes", this.maxMessageBytes)
      : undefined;
  }

  /** Returns what grpc-js says of a message above the limit that it was given, in words that name the option. */
  explain(path: string, error: DrpcError): DrpcError {
    const [, bytes, limit] = /^Received message larger than max \((\d+) vs (\d+)\)$/.exec(error.rawMessage) ?? [];
    return error.code === Code.ResourceExhausted && Number(limit) === this.maxMessageBytes
      ? exceeded(`${path}: a message of ${bytes} bytes was not taken`, "maxMessageBytes", this.maxMessageBytes)
      : error;
  }
}

function exceeded(what: string, option: keyof MessageLimitOptions, limit: number): DrpcError {
  return new DrpcError(`${what}, the limit ${option} is ${limit}`, Code.ResourceExhausted);
}
