// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Writable } from "node:stream";

// As much as a session of DRPC holds unsent.
const maxUnsentBytes = 256 * 1024;
const messageOverheadBytes = 64;

/** Writes messages to a stream of grpc-js, and says when to wait for a peer that takes them slowly. */
export class MessageWriter {
  readonly #writable: Writable;
  #unsentBytes = 0;
  #stopped = false;
  #resume: (() => void) | undefined;

  constructor(writable: Writable) {
    this.#writable = writable;
  }

  /** Writes a message. Returns undefined if there is room for another, or a promise that resolves once there is. */
  write(body: Uint8Array): Promise<void> | undefined {
    const cost = body.length + messageOverheadBytes;
    this.#unsentBytes += cost;
    const room = this.#writable.write(body, () => this.#sent(cost));
    if ((room && this.#unsentBytes <= maxUnsentBytes) || this.#stopped) {
      return undefined;
    }
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** Nothing more is taken, and whoever waits goes on. */
  stop(): void {
    this.#stopped = true;
    this.#resume?.();
  }

  #sent(cost: number): void {
    this.#unsentBytes -= cost;
    if (this.#unsentBytes <= maxUnsentBytes && !this.#writable.writableNeedDrain) {
      this.#resume?.();
      this.#resume = undefined;
    }
  }
}
