// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { StreamState } from "./stream-state.js";

/**
 * Whether messages of this side may lie unread at a peer that no longer reads
 * them: `possible` if all was sent before the peer ended its side, `likely` if
 * not, or if this side gave up.
 */
export type Leftovers = "none" | "possible" | "likely";

/** What a stream has sent and received. */
export interface MessageCounts {
  readonly sentMessages: number;
  readonly receivedMessages: number;
}

/** The peer ends its side. One that read all has mostly answered each message, or all of them with one. */
export function leftoversAtEnd(
  state: StreamState,
  streamsRequests: boolean,
  { sentMessages: sent, receivedMessages: received }: MessageCounts,
): Leftovers {
  if (sent === 0 || (!streamsRequests && state !== StreamState.Open)) {
    return "none";
  }
  return state === StreamState.Open || (received < sent && received !== 1) ? "likely" : "possible";
}

/** This side gives up. */
export function leftoversAtCancel({ sentMessages: sent, receivedMessages: received }: MessageCounts): Leftovers {
  return received < sent ? "likely" : "possible";
}
