// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ContextValues } from "./context-values.js";
import type { MetadataInit } from "./metadata.js";

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

  /** Values that travel to the server before the first message. */
  readonly metadata?: MetadataInit | undefined;

  /** Values for the interceptors of the client. They do not travel. */
  readonly contextValues?: ContextValues | undefined;
}
