// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

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
   * Defaults to 1 MiB.
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
}

/** {@link SessionOptions} with every limit filled in. */
export type SessionLimits = { readonly [Name in keyof SessionOptions]-?: number };

const defaults: SessionLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxMetadataBytes: 64 * 1024,
  maxMetadataKeys: 128,
  maxConcurrentStreams: 256,
  windowBytes: 1024 * 1024,
  maxBufferedBytes: 16 * 1024 * 1024,
  maxUnsentBytes: 256 * 1024,
  invokeTimeoutMs: 10_000,
};

/** Fills in the defaults. Throws a RangeError that names the option and the value if one is out of its range. */
export function resolveSessionOptions(options: SessionOptions): SessionLimits {
  const limits: { -readonly [Name in keyof SessionLimits]: number } = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof SessionLimits)[]) {
    limits[name] = wholeNumber(name, options[name] ?? defaults[name]);
  }
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

/** Returns the value of an option if it is a whole number from 1 to 2^31 - 1, which timers take too. */
export function wholeNumber(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 0x7fff_ffff) {
    throw new RangeError(`${name} must be a whole number from 1 to 2147483647, got ${String(value)}`);
  }
  return value;
}
