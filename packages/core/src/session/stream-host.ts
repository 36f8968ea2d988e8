// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";
import type { ErrorFormat } from "../wire/error-payload.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import type { ConnectionFlow } from "./connection-flow.js";
import type { ReceiveBudget } from "./receive-budget.js";
import type { SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";

/** What a stream tells the call that it carries. None of these may throw. */
export interface StreamReceiver {
  /** True while somebody waits for the next message. Once that begins, the receiver calls `stream.messageWanted`. */
  readonly wantsMessage: boolean;

  /** A server's metadata came, ahead of its messages. Called at most once, and only on a client. */
  header?(metadata: MetadataEntries): void;

  /** A message came. The receiver calls `stream.consume` with its length once it is done with it. */
  message(body: Uint8Array): void;

  /** A server's metadata came, behind its messages. Called at most once, before `end`, and only on a client. */
  trailer?(metadata: MetadataEntries): void;

  /** No more messages come: the peer is done, or there is an error. Called once, behind all messages. */
  end(error: DrpcError | undefined): void;

  /**
   * Nothing is sent or received on this stream any more. The cause is missing
   * if both sides had said that they were done. Called once, after `end`.
   */
  terminated(cause: DrpcError | undefined): void;
}

/** What a stream needs of the session that it is on. */
export interface StreamHost {
  readonly role: "client" | "server";
  readonly limits: SessionLimits;

  /** How errors are sent. */
  readonly errorFormat: ErrorFormat;

  /** The largest message that both sides take. */
  readonly maxSendBytes: number;

  /** The books of flow control. */
  readonly flow: ConnectionFlow;

  /** What is held for all streams. */
  readonly budget: ReceiveBudget;

  /** True if the peer may know what a Header and a Trailer are. */
  readonly carriesResponseMetadata: boolean;

  /** Dates what happens, in ticks of {@link Liveness}. */
  readonly tick: number;

  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void;
  sendMessage(streamId: number, messageId: number, body: Uint8Array): Promise<void> | undefined;

  /** The receiver took a message. */
  consumed(stream: Stream): void;

  /** The call came to nothing, and it was the peer's doing. */
  reset(): void;

  terminated(stream: Stream, cause: DrpcError | undefined): void;
}
