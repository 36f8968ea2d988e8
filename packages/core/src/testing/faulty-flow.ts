// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { CreditFilter } from "./credit-filter.js";
import { Random } from "./random.js";

/** What goes wrong with the bytes that go in one direction. By default nothing does. */
export interface FlowFaults {
  /** How long bytes are on their way, in milliseconds, on top of the connection's own time. Defaults to 0. */
  readonly latencyMs?: number | undefined;

  /** Cuts all bytes into pieces of at most this many. Defaults to whole chunks. */
  readonly pieceBytes?: number | undefined;

  /** The connection is cut behind this many bytes, which still arrive. Defaults to never. */
  readonly cutAfterBytes?: number | undefined;

  /**
   * Nothing is taken behind this many bytes, as if the other side had stopped
   * reading, and the connection stays open. Defaults to never.
   */
  readonly stallAfterBytes?: number | undefined;

  /** Of about so many bytes, one has a bit flipped. Defaults to none. */
  readonly flipEveryBytes?: number | undefined;

  /** True if WindowUpdate frames are lost, so that senders wait for credit that never comes. Defaults to false. */
  readonly withholdCredit?: boolean | undefined;
}

/** How to make a {@link FaultyFlow}. */
export interface FaultyFlowInit {
  readonly faults: FlowFaults;
  readonly seed: number;

  /** Hands on what has become of the bytes. */
  readonly deliver: (bytes: Uint8Array) => void;

  /** The cut is reached, and all before it was handed on. */
  readonly cut: () => void;

  /** The stall is reached, and all before it was handed on. */
  readonly stalled: () => void;

  /** Nothing is on its way any more. */
  readonly drained: () => void;
}

interface OnItsWay {
  readonly bytes: number;
  readonly arrive: () => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** FaultyFlow does to the bytes of one direction what its faults say, and keeps their order. */
export class FaultyFlow {
  readonly #init: FaultyFlowInit;
  readonly #random: Random;
  readonly #credit: CreditFilter | undefined;
  #left: number;
  #toFlip: number;
  #onItsWay: OnItsWay[] = [];
  #bytesOnTheirWay = 0;

  constructor(init: FaultyFlowInit) {
    const { cutAfterBytes, stallAfterBytes, withholdCredit = false } = init.faults;
    this.#init = init;
    this.#random = new Random(init.seed);
    this.#credit = withholdCredit ? new CreditFilter() : undefined;
    this.#left = Math.min(cutAfterBytes ?? Number.POSITIVE_INFINITY, stallAfterBytes ?? Number.POSITIVE_INFINITY);
    this.#toFlip = this.#nextFlip();
  }

  /** How many bytes are on their way. */
  get bytesOnTheirWay(): number {
    return this.#bytesOnTheirWay;
  }

  /** True once the cut or the stall is reached: nothing more goes through. */
  get blocked(): boolean {
    return this.#left < 0;
  }

  /** Takes bytes, and leaves them as they are. */
  push(bytes: Uint8Array): void {
    if (this.blocked) {
      return;
    }
    const passing = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= passing.length;
    this.#pass(passing);
    if (this.#left === 0) {
      this.#left = -1;
      const { cutAfterBytes = Number.POSITIVE_INFINITY, stallAfterBytes = Number.POSITIVE_INFINITY } =
        this.#init.faults;
      this.#later(0, cutAfterBytes <= stallAfterBytes ? this.#init.cut : this.#init.stalled);
    }
  }

  /** Calls back when all that is on its way has arrived. */
  whenThrough(callback: () => void): void {
    this.#later(0, callback);
  }

  /** Loses all that is on its way. */
  lose(): void {
    this.#left = -1;
    for (const { timer } of this.#onItsWay.splice(0)) {
      clearTimeout(timer);
    }
    this.#bytesOnTheirWay = 0;
  }

  #pass(bytes: Uint8Array): void {
    const flipped = this.#flip(bytes);
    const passed = this.#credit === undefined ? flipped : this.#credit.filter(flipped);
    if (passed.length > 0) {
      this.#later(passed.length, () => this.#deliver(passed));
    }
  }

  #deliver(bytes: Uint8Array): void {
    const pieceBytes = this.#init.faults.pieceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.#init.deliver(bytes.subarray(at, Math.min(at + pieceBytes, bytes.length)));
    }
  }

  #flip(bytes: Uint8Array): Uint8Array {
    let flipped = bytes;
    let at = this.#toFlip;
    for (; at < bytes.length; at += this.#nextFlip()) {
      flipped = flipped === bytes ? bytes.slice() : flipped;
      flipped[at] = (flipped[at] as number) ^ (1 << this.#random.below(8));
    }
    this.#toFlip = at - bytes.length;
    return flipped;
  }

  /** How far away the next byte is that has a bit flipped: as many as the option says, on average. */
  #nextFlip(): number {
    const { flipEveryBytes } = this.#init.faults;
    return flipEveryBytes === undefined ? Number.POSITIVE_INFINITY : 1 + this.#random.below(2 * flipEveryBytes - 1);
  }

  #later(bytes: number, arrive: () => void): void {
    const { latencyMs = 0 } = this.#init.faults;
    if (latencyMs === 0) {
      arrive();
      return;
    }
    const timer = setTimeout(() => this.#arrive(), latencyMs);
    this.#onItsWay.push({ bytes, arrive, timer });
    this.#bytesOnTheirWay += bytes;
  }

  /** The oldest arrives, whichever timer went off. */
  #arrive(): void {
    const { bytes, arrive } = this.#onItsWay.shift() as OnItsWay;
    this.#bytesOnTheirWay -= bytes;
    arrive();
    if (this.#onItsWay.length === 0) {
      this.#init.drained();
    }
  }
}
