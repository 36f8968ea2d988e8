// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ContextValues } from "./context-values.js";
import type { Metadata, MetadataInit } from "./metadata.js";
import type { RetryOptions } from "./retry-options.js";

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call when it aborts: the call fails with Canceled, and the peer is told. */
  readonly signal?: AbortSignal | undefined;

  /**
   * How long the call may take, in milliseconds, for a streaming call from
   * its start to its last message. When it passes, the call fails with
   * DeadlineExceeded. The server is told, and enforces it too.
   *
   * Zero and less fail at once. Defaults to the transport's
   * `defaultTimeoutMs`, and without that to no limit.
   */
  readonly timeoutMs?: number | undefined;

  /**
   * True if the call waits for a connection for as long as it takes, until its
   * deadline. A call that does not wait fails with Unavailable, and
   * `notStarted`, when an attempt to connect fails, and at once in the pause
   * before the next one. Defaults to false, as in gRPC.
   */
  readonly waitForReady?: boolean | undefined;

  /** Whether and how the call is made again when it failed. Defaults to the transport's `retry`. */
  readonly retry?: RetryOptions | undefined;

  /** Values that travel to the server before the first message. */
  readonly metadata?: MetadataInit | undefined;

  /**
   * Is told of the server's metadata that comes ahead of the responses, if
   * there is any, before the first of them. Only ts-drpc servers and gRPC have it. What it
   * throws fails the call.
   */
  readonly onHeader?: ((header: Metadata) => void) | undefined;

  /**
   * Is told of the server's metadata that comes behind the responses or ahead
   * of an error, if there is any, when all responses have been read. What it throws fails the call.
   */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined;

  /** Values for the interceptors of the client. They do not travel. */
  readonly contextValues?: ContextValues | undefined;
}
