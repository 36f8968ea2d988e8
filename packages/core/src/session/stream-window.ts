// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ReceiveWindows } from "./receive-windows.js";

/** StreamWindow says what the peer gets back for what was consumed of one stream, and grows while that goes on. */
export class StreamWindow {
  readonly #windows: ReceiveWindows;
  #bytes: number;
  #consumed = 0;
  #consumedSinceGrowth = 0;

  constructor(windows: ReceiveWindows) {
    this.#windows = windows;
    this.#bytes = windows.contract.initialWindowBytes;
  }

  /** A message of this length was consumed. */
  consume(bytes: number): void {
    this.#consumed += bytes + this.#windows.contract.overheadBytes;
  }

  /** Takes what is to be granted now: 0 until enough has been consumed to be worth a frame. */
  takeGrant(): number {
    const consumed = this.#consumed;
    if (consumed < this.#windows.contract.grantThreshold(this.#bytes)) {
      return 0;
    }
    this.#consumed = 0;
    this.#consumedSinceGrowth += consumed;
    if (this.#consumedSinceGrowth < this.#bytes) {
      return consumed;
    }
    this.#consumedSinceGrowth = 0;
    const more = this.#windows.grow(this.#bytes);
    this.#bytes += more;
    return consumed + more;
  }

  /** The stream has ended. */
  end(): void {
    this.#windows.giveBack(this.#bytes);
  }
}
