// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { connectionGrantThreshold, SendCredit } from "./flow-control.js";

interface Waiting {
  readonly streamId: number;
  readonly cost: number;
  readonly admitted: () => void;
  readonly refused: (reason: Error) => void;
}

/**
 * ConnectionCredit says how much all streams together may still send.
 *
 * A message that fits in the window of a stream waits only for credit for
 * itself. A larger one has to leave half of the window for those that do, so that
 * large messages which nobody reads do not hold up the small ones of others. Of
 * each sort one is let in after the other, and any of them at once if the
 * receiver lends the credit for it.
 */
export class ConnectionCredit {
  // What is sent before the peer says how large its window is counts from the start.
  #credit = new SendCredit(0);
  #windowBytes: number | undefined;
  #smallBytes = 0;
  #small: Waiting[] = [];
  #large: Waiting[] = [];

  /** The peer turned out to have a window for the connection, and one for each stream. */
  limit(windowBytes: number, streamWindowBytes: number): void {
    this.#credit = this.#credit.resize(windowBytes);
    this.#windowBytes = windowBytes;
    this.#smallBytes = streamWindowBytes;
  }

  /** Spends what a message costs. Returns undefined if it may go now, or a promise that resolves when it may. */
  spend(streamId: number, cost: number): Promise<void> | undefined {
    const waiting = cost <= this.#smallBytes ? this.#small : this.#large;
    if (waiting.length === 0 && this.#admits(cost)) {
      this.#credit.spend(cost);
      return undefined;
    }
    return this.#wait(waiting, streamId, cost);
  }

  /** The peer granted credit, or what was spent was not sent after all. */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    this.#admit();
  }

  /** The receiver lends credit for the message that a stream has waiting, if it still has. */
  lent(streamId: number): void {
    const ofStream = (message: Waiting): boolean => message.streamId === streamId;
    for (const waiting of [this.#small, this.#large]) {
      const at = waiting.findIndex(ofStream);
      if (at >= 0) {
        const [message] = waiting.splice(at, 1) as [Waiting];
        this.#credit.spend(message.cost);
        message.admitted();
        return;
      }
    }
  }

  /** A stream has ended: what it has waiting is not sent. */
  drop(streamId: number, cause: Error | undefined): void {
    if (this.#small.length + this.#large.length > 0) {
      this.#dropWaiting(streamId, cause);
    }
  }

  // Functions of their own: one that holds closures allocates for them also when it does not come to that.
  #wait(waiting: Waiting[], streamId: number, cost: number): Promise<void> {
    return new Promise((admitted, refused) => {
      waiting.push({ streamId, cost, admitted, refused });
    });
  }

  #dropWaiting(streamId: number, cause: Error | undefined): void {
    const reason = cause ?? new Error("the stream has ended");
    const ofStream = (message: Waiting): boolean => message.streamId === streamId;
    const dropped = [...this.#small.filter(ofStream), ...this.#large.filter(ofStream)];
    this.#small = this.#small.filter((message) => !ofStream(message));
    this.#large = this.#large.filter((message) => !ofStream(message));
    for (const message of dropped) {
      message.refused(reason);
    }
    this.#admit();
  }

  #admits(cost: number): boolean {
    const windowBytes = this.#windowBytes;
    if (windowBytes === undefined || cost <= this.#smallBytes) {
      return windowBytes === undefined || this.#credit.holds(cost);
    }
    // All but what is not yet worth a grant comes back in the end, so that a message waits for more only if it has to be lent.
    const most = Math.max(cost, windowBytes - connectionGrantThreshold(windowBytes));
    return this.#credit.holds(Math.min(cost + windowBytes / 2, most));
  }

  #admit(): void {
    for (const waiting of [this.#small, this.#large]) {
      for (let next = waiting[0]; next !== undefined && this.#admits(next.cost); next = waiting[0]) {
        waiting.shift();
        this.#credit.spend(next.cost);
        next.admitted();
      }
    }
  }
}
