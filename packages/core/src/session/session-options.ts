// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { object, show } from "../vocabulary/option-values.js";
import { maxFrameDataBytes } from "../wire/frame-header.js";

/** Limits of one connection. Each holds for either side, and all are checked before bytes are stored. */
export interface SessionOptions {
  /**
   * The largest message, in bytes, in either direction. A larger one fails its
   * call with ResourceExhausted: ours before any of it is sent, the peer's as
   * soon as its size is known. Other calls go on.
   *
   * Defaults to 4 MiB, as in Go.
   */
  readonly maxMessageBytes?: number | undefined;

  /**
   * The largest message that this side sends, in bytes, if that is to differ
   * from what it takes. A larger one fails its call with ResourceExhausted. What a
   * ts-drpc peer says that it takes holds besides.
   *
   * Defaults to `maxMessageBytes`.
   */
  readonly maxSendMessageBytes?: number | undefined;

  /**
   * The largest metadata, in bytes, and the longest path. Calls with more fail with
   * ResourceExhausted. The entries of the runtime itself count too: the
   * deadline, and on the first call of a connection the announcement.
   *
   * Defaults to 64 KiB.
   */
  readonly maxMetadataBytes?: number | undefined;

  /** How many metadata entries a call may have. Calls with more fail with ResourceExhausted. Defaults to 128. */
  readonly maxMetadataKeys?: number | undefined;

  /**
   * How many calls the peer may have open at once on one connection. Calls that are
   * still being announced count, and so do handlers that go on after their
   * call ended. A further one is refused with ResourceExhausted. Defaults to 256.
   */
  readonly maxConcurrentStreams?: number | undefined;

  /**
   * How many bytes of messages one stream may have under way towards this
   * side, unread. Up to there nobody waits; then a ts-drpc peer waits until
   * the reader has caught up. A peer without flow control is not read from
   * while it has no other stream; otherwise its stream fails with
   * ResourceExhausted once it is a message ahead.
   *
   * Defaults to 2 MiB, so that a message of a megabyte can be under way while
   * the one before is read.
   */
  readonly windowBytes?: number | undefined;

  /**
   * How many bytes may wait unread on one connection, over all streams,
   * unfinished messages included. Above that the stream that holds the most
   * fails with ResourceExhausted. It is at least the sum of `maxMessageBytes` and
   * `windowBytes`, as a message that is in the limits must fit.
   *
   * Defaults to 16 MiB, or to twice that sum if that is more.
   */
  readonly maxBufferedBytes?: number | undefined;

  /**
   * How many bytes may wait to be sent on one connection. Above that, sending waits.
   * Defaults to 256 KiB.
   */
  readonly maxUnsentBytes?: number | undefined;

  /** How long a peer may take to announce a call, in milliseconds, from its first byte to its last. Defaults to 10,000. */
  readonly invokeTimeoutMs?: number | undefined;

  /**
   * How long a message may take from its first byte to its last, in
   * milliseconds, and how long a call with a single request may go without it. After that the call
   * fails with DeadlineExceeded. It is looked at from time to time, so that it may take
   * a quarter longer. Defaults to 120,000.
   */
  readonly messageTimeoutMs?: number | undefined;

  /**
   * How long the peer may be silent while there are calls, in milliseconds,
   * before it is asked for a sign of life. Any byte from it counts. It may be
   * asked after half of that, so that not all are asked at once. Only
   * ts-drpc peers can be asked. Defaults to 20,000.
   */
  readonly keepaliveMs?: number | undefined;

  /**
   * How long the peer may take to give that sign, in milliseconds. After that
   * the connection is given up, and its calls fail with Unavailable. As long as it goes on to
   * take what waits to be sent, over a slow line, it is waited for. Defaults to 10,000.
   */
  readonly keepaliveTimeoutMs?: number | undefined;

  /**
   * How long the peer may take nothing of what waits to be sent, in
   * milliseconds, before the connection is given up, and its calls fail with
   * Unavailable. Defaults to 300,000.
   */
  readonly stallTimeoutMs?: number | undefined;

  /**
   * How many calls a second a client may make on a connection that come to nothing: canceled
   * by it, refused, of a method that does not exist, with a request that is
   * malformed or too large. Ten seconds' worth may come at once. A server ends the
   * connection of a client that makes more. Defaults to 1,000.
   */
  readonly maxResetsPerSecond?: number | undefined;
}

/**
 * The flow control of CockroachDB's fork, for peers that have it switched on.
 * Nothing on the wire tells, so both ends have to be configured alike; a peer
 * without it would never grant anything, and calls would stop for ever.
 */
export interface FlowControlOptions {
  /** How many bytes of messages a stream may have under way, unread. The fork's default is 2,097,152. */
  readonly windowBytes: number;

  /** How many bytes must have been read before they are granted back. The fork's default is 524,288. */
  readonly grantThresholdBytes: number;
}

/** {@link SessionOptions} with every limit filled in. */
export type SessionLimits = { readonly [Name in keyof SessionOptions]-?: number };

const defaults: SessionLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxSendMessageBytes: 4 * 1024 * 1024,
  maxMetadataBytes: 64 * 1024,
  maxMetadataKeys: 128,
  maxConcurrentStreams: 256,
  windowBytes: 2 * 1024 * 1024,
  maxBufferedBytes: 16 * 1024 * 1024,
  maxUnsentBytes: 256 * 1024,
  invokeTimeoutMs: 10_000,
  messageTimeoutMs: 120_000,
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  stallTimeoutMs: 300_000,
  maxResetsPerSecond: 1_000,
};

/** Fills in the defaults. Throws a RangeError that names the option and the value if one is out of its range. */
export function resolveSessionOptions(options: SessionOptions): SessionLimits {
  const limits: { -readonly [Name in keyof SessionLimits]: number } = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof SessionLimits)[]) {
    limits[name] = wholeNumber(name, options[name] ?? defaults[name]);
  }
  limits.maxSendMessageBytes = options.maxSendMessageBytes ?? limits.maxMessageBytes;
  const least = limits.maxMessageBytes + limits.windowBytes;
  if (options.maxBufferedBytes === undefined) {
    limits.maxBufferedBytes = Math.max(defaults.maxBufferedBytes, 2 * least);
  } else if (limits.maxBufferedBytes < least) {
    throw new RangeError(
      `maxBufferedBytes must be at least maxMessageBytes and windowBytes together, ${least}, got ${limits.maxBufferedBytes}`,
    );
  }
  return limits;
}

/** Returns the value of the option `flowControl`. Throws a RangeError that names what is wrong with it. */
export function checkFlowControl(
  flowControl: FlowControlOptions | undefined,
  { maxBufferedBytes, maxMessageBytes }: SessionLimits,
): FlowControlOptions | undefined {
  if (flowControl === undefined) {
    return undefined;
  }
  object("flowControl", flowControl);
  const windowBytes = wholeNumber("flowControl.windowBytes", flowControl.windowBytes);
  const grantThresholdBytes = wholeNumber("flowControl.grantThresholdBytes", flowControl.grantThresholdBytes);
  // A sender waits for credit for a frame, so that much must come back before its receiver has nothing left to consume.
  if (grantThresholdBytes + maxFrameDataBytes > windowBytes) {
    throw new RangeError(
      `flowControl.windowBytes must be at least ${maxFrameDataBytes} above flowControl.grantThresholdBytes, got ${windowBytes} and ${grantThresholdBytes}`,
    );
  }
  if (windowBytes + maxMessageBytes > maxBufferedBytes) {
    throw new RangeError(
      `maxBufferedBytes must be at least maxMessageBytes and flowControl.windowBytes together, ${maxMessageBytes + windowBytes}, got ${maxBufferedBytes}`,
    );
  }
  return { windowBytes, grantThresholdBytes };
}

/** Returns the value of an option if it is a whole number from 1 to 2^31 - 1, which timers take too. */
export function wholeNumber(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 0x7fff_ffff) {
    throw new RangeError(`${name} must be a whole number from 1 to 2147483647, got ${show(value)}`);
  }
  return value;
}
