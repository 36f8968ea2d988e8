// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { messageOverheadBytes } from "./flow-control.js";
import type { Stream } from "./stream.js";

/** A message that a stream's sender cannot send, as it says. */
interface BlockedMessage {
  readonly number: number;
  readonly cost: number;
}

/**
 * Loans let in the messages that somebody waits for, although the credit of the
 * connection is spent on messages that nobody reads.
 *
 * What is lent comes out of a reserve for one message of the largest size, which
 * the window of the connection leaves. It is back when the message was
 * consumed, or its stream has ended. So whoever reads gets what they wait for
 * in the end, whatever lies unread on other streams.
 */
export class Loans {
  readonly #lend: (streamId: number, message: number) => void;
  readonly #reserveBytes: number;
  readonly #blocked = new Map<Stream, BlockedMessage>();
  // Those of them whose reader waits, in the order in which that became so.
  readonly #due = new Map<Stream, BlockedMessage>();
  readonly #lent = new Map<Stream, BlockedMessage>();
  #freeBytes: number;

  constructor(maxMessageBytes: number, lend: (streamId: number, message: number) => void) {
    this.#lend = lend;
    this.#reserveBytes = maxMessageBytes + messageOverheadBytes;
    this.#freeBytes = this.#reserveBytes;
  }

  /** The next message of a stream waits for credit of the connection. Nothing is lent for one that would be refused. */
  blocked(stream: Stream, cost: number): void {
    const number = stream.receivedMessages + 1;
    if (cost <= this.#reserveBytes && this.#lent.get(stream)?.number !== number) {
      this.#blocked.set(stream, { number, cost });
      this.messageWanted(stream);
    }
  }

  /** Somebody may be waiting for the next message of a stream. */
  messageWanted(stream: Stream): void {
    const blocked = this.#blocked.size === 0 ? undefined : this.#blocked.get(stream);
    if (blocked !== undefined && stream.wantsMessage && !this.#lent.has(stream)) {
      this.#blocked.delete(stream);
      this.#due.set(stream, blocked);
      this.#lendDue();
    }
  }

  /** A message of a stream was consumed, or the stream has ended. */
  repaid(stream: Stream): void {
    const lent = this.#lent.size === 0 ? undefined : this.#lent.get(stream);
    if (lent !== undefined) {
      this.#lent.delete(stream);
      this.#freeBytes += lent.cost;
      this.messageWanted(stream);
    }
    if (this.#due.size > 0) {
      this.#lendDue();
    }
  }

  /** A stream has ended. */
  ended(stream: Stream): void {
    this.#blocked.delete(stream);
    this.#due.delete(stream);
    this.repaid(stream);
  }

  #lendDue(): void {
    for (const [stream, message] of this.#due) {
      if (message.number <= stream.receivedMessages) {
        // It came after all, by credit of its own.
        this.#due.delete(stream);
      } else if (message.cost <= this.#freeBytes) {
        this.#due.delete(stream);
        this.#freeBytes -= message.cost;
        this.#lent.set(stream, message);
        this.#lend(stream.id, message.number);
      } else {
        return;
      }
    }
  }
}
