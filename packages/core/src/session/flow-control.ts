// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { maxFrameDataBytes } from "../wire/frame-header.js";
import { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "../wire/varint.js";

/**
 * What a message costs besides its bytes. Between ts-drpc peers even an empty
 * message spends credit, so that no number of them can pile up at a slow
 * reader (docs/protocol.md#flow-control).
 */
export const messageOverheadBytes = 64;

/**
 * SendCredit says how much may still be sent, on a stream or on a connection. It
 * is counted from the start, whether or not the peer turns out to grant any.
 */
export class SendCredit {
  readonly #windowBytes: number;
  #bytes: number;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#bytes = windowBytes;
  }

  /** Tells whether a message of this cost may begin now, if it may be larger than the window. */
  covers(cost: number): boolean {
    return this.#bytes >= Math.min(cost, maxFrameDataBytes, Math.floor(this.#windowBytes / 2));
  }

  /** Tells whether there is this much credit. */
  holds(bytes: number): boolean {
    return this.#bytes >= bytes;
  }

  /** Counts a message that was sent. */
  spend(cost: number): void {
    this.#bytes -= cost;
  }

  /** Counts a grant. The sum saturates, so that no number of grants overflows it. */
  grant(bytes: number): void {
    this.#bytes = Math.min(this.#bytes + bytes, Number.MAX_SAFE_INTEGER);
  }

  /** Goes over to the window that the peer turned out to have. What was sent so far stays spent. */
  resize(windowBytes: number): SendCredit {
    const resized = new SendCredit(windowBytes);
    resized.spend(this.#windowBytes - this.#bytes);
    return resized;
  }
}

/**
 * Returns how much must have been consumed before it is granted back: often
 * enough that a sender, which waits for no more than half of the window, never
 * starves, seldom enough that grants are few.
 */
export function grantThreshold(windowBytes: number): number {
  return Math.max(1, windowBytes >> 2);
}

/** Returns how much of what was held for a connection must be free again before it is granted back. */
export function connectionGrantThreshold(windowBytes: number): number {
  return Math.max(1, windowBytes >> 3);
}

/** Encodes the body of a WindowUpdate, a Blocked or a Loan. */
export function encodeCredit(value: number): Uint8Array {
  const body = new Uint8Array(varintSize(value));
  encodeVarint(value, body, 0);
  return body;
}

/** Decodes the body of a WindowUpdate, a Blocked or a Loan: a varint above zero and nothing behind it. Anything else is 0, to be ignored. */
export function decodeCredit(body: Uint8Array): number {
  // A longer one would make the cursor throw, and a bad grant must not end the connection.
  if (body.length > maxVarintBytes || (body[maxVarintBytes - 1] ?? 0) > 0x7f) {
    return 0;
  }
  const varint = new VarintCursor();
  return varint.read(body, 0, body.length) === body.length ? varint.value : 0;
}
