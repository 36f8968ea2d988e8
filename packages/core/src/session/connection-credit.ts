// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { SendCredit } from "./flow-control.js";

interface Waiting {
  readonly streamId: number;
  readonly cost: number;
  readonly admitted: () => void;
  readonly refused: (reason: Error) => void;
}

/**
 * ConnectionCredit says how much all streams together may still send. A
 * message is let in when there is credit for all of it, one after the other,
 * so that a large message gets its turn too.
 */
export class ConnectionCredit {
  // What is sent before the peer says how large its window is counts from the start.
  #credit = new SendCredit(0);
  #limited = false;
  #waiting: Waiting[] = [];

  /** The peer turned out to have a window for the connection. */
  limit(windowBytes: number): void {
    this.#credit = this.#credit.resize(windowBytes);
    this.#limited = true;
  }

  /** Spends what a message costs. Returns undefined if it may go now, or a promise that resolves when it may. */
  spend(streamId: number, cost: number): Promise<void> | undefined {
    if (!this.#limited || (this.#waiting.length === 0 && this.#credit.coversWhole(cost))) {
      this.#credit.spend(cost);
      return undefined;
    }
    return new Promise((admitted, refused) => {
      this.#waiting.push({ streamId, cost, admitted, refused });
    });
  }

  /** The peer granted credit, or what was spent was not sent after all. */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    this.#admit();
  }

  /** A stream has ended: what it has waiting is not sent. */
  drop(streamId: number, cause: Error | undefined): void {
    if (this.#waiting.length === 0) {
      return;
    }
    const reason = cause ?? new Error("the stream has ended");
    const dropped = this.#waiting.filter((message) => message.streamId === streamId);
    this.#waiting = this.#waiting.filter((message) => message.streamId !== streamId);
    for (const message of dropped) {
      message.refused(reason);
    }
    this.#admit();
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#credit.coversWhole(next.cost);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#credit.spend(next.cost);
      next.admitted();
    }
  }
}
