// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { SendCredit } from "./flow-control.js";

/**
 * StreamCredit says how much one stream may still send, and lets its sender wait
 * for more.
 *
 * A message waits until the credit covers its first frame and is then sent whole.
 * So one that is larger than the window passes too, and the next one waits until
 * the debt is repaid.
 */
export class StreamCredit {
  #credit: SendCredit;
  #arrived: (() => void) | undefined;

  constructor(windowBytes: number) {
    this.#credit = new SendCredit(windowBytes);
  }

  /** Tells whether a message of this cost may begin now. */
  covers(cost: number): boolean {
    return this.#credit.covers(cost);
  }

  /** Counts a message that was sent. */
  spend(cost: number): void {
    this.#credit.spend(cost);
  }

  /** Resolves when there is more, or the sender need not wait for it any longer. Only one may wait. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** The peer granted credit. */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    this.wake();
  }

  /** The peer turned out to have windows of this size. */
  resize(windowBytes: number): void {
    this.#credit = this.#credit.resize(windowBytes);
  }

  /** Lets the sender that waits look again. */
  wake(): void {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    arrived?.();
  }
}
