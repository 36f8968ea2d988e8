// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FlowContract } from "./flow-contract.js";
import { connectionGrantThreshold } from "./flow-control.js";

/**
 * ReceiveWindows says how large the windows of the streams of a session may
 * be, and how much the peer gets back for the whole connection.
 *
 * A window begins small, and doubles each time that its reader has consumed
 * all of it, as long as the share for that lasts. So a stream that is not read holds
 * little, and one that is read fast is not slowed by its window.
 */
export class ReceiveWindows {
  readonly contract: FlowContract;
  #growthBytes: number;
  #receivedBytes = 0;
  #returnedBytes = 0;

  constructor(contract: FlowContract) {
    this.contract = contract;
    this.#growthBytes = contract.growthBytes;
  }

  /** Returns by how much a window, all of which was consumed, becomes larger. */
  grow(windowBytes: number): number {
    const more = Math.max(0, Math.min(windowBytes, this.contract.maxWindowBytes - windowBytes, this.#growthBytes));
    this.#growthBytes -= more;
    return more;
  }

  /** A stream has ended: by how much its window had grown is for others. */
  giveBack(windowBytes: number): void {
    this.#growthBytes += windowBytes - this.contract.initialWindowBytes;
  }

  /**
   * A fragment of a message came, of whatever stream. Everything counts, also what is
   * thrown away: the peer spent credit for it.
   */
  received(bytes: number, complete: boolean): void {
    this.#receivedBytes += complete ? bytes + this.contract.overheadBytes : bytes;
  }

  /** Takes what is to be granted for the connection now, while this much is held: 0 until it is worth a frame. */
  takeGrant(heldBytes: number): number {
    const { connectionWindowBytes } = this.contract;
    if (connectionWindowBytes === undefined) {
      return 0;
    }
    const returned = this.#receivedBytes - this.#returnedBytes - heldBytes;
    if (returned < connectionGrantThreshold(connectionWindowBytes)) {
      return 0;
    }
    this.#returnedBytes += returned;
    return returned;
  }
}
