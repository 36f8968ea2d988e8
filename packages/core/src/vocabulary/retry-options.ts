// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Says which calls are made again when they failed.
 *
 * A call that the peer certainly did not start, such as one that it refused
 * as it was full or going away, is made again without being asked to, up to
 * `maxAttempts`. All others are only if there are these options, empty ones
 * too: those that failed with one of `codes`, before the server's header and
 * the first response, and
 * whose method says in its .proto that it may be called more than once
 * (`option idempotency_level = IDEMPOTENT` or `NO_SIDE_EFFECTS`). A method that
 * does not say so is never called again after it may have run, whatever the
 * options are.
 *
 * Calls that stream requests are made again only if none was taken from them yet.
 */
export interface RetryOptions {
  /** How often a call is made at most, the first time included. From 1, which is never again, to 10. Defaults to 3. */
  readonly maxAttempts?: number | undefined;

  /** What failures are worth another attempt. Defaults to Unavailable alone. */
  readonly codes?: readonly number[] | undefined;

  /** How long to wait before the second attempt, in milliseconds. Later ones wait longer. Defaults to 100. */
  readonly initialBackoffMs?: number | undefined;

  /** How long to wait at most, in milliseconds. Defaults to 2,000. */
  readonly maxBackoffMs?: number | undefined;
}
