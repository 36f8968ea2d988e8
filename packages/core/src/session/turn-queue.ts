// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Something of a stream that waits for its turns. */
export interface Waiting {
  readonly streamId: number;
}

interface Entry<T> {
  readonly waiting: T;
  readonly cost: number;

  /** When its next frame would be through if all streams were served at the same time, in bytes of each. */
  readonly turn: number;
  readonly order: number;
}

// So that even an empty message takes something of its stream's share.
const frameCost = 64;

/**
 * TurnQueue says whose frame goes next: streams share a connection evenly by
 * bytes, and whoever has sent little goes ahead of those who send much
 * (weighted fair queueing: A. Demers, S. Keshav, S. Shenker, 1989). So a small
 * call waits behind at most one frame, however many streams are busy with large messages.
 */
export class TurnQueue<T extends Waiting> {
  // A binary heap: each entry comes before the two at twice its index.
  #heap: Entry<T>[] = [];
  readonly #served = new Map<number, number>();
  #now = 0;
  #order = 0;
  #returnTurn = 0;

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** The turn of what goes next, or 0 if nothing waits. */
  get nextTurn(): number {
    return this.#heap[0]?.turn ?? 0;
  }

  /** The turn that another of its kind would have, from the stream that was served last. */
  get returnTurn(): number {
    return this.#returnTurn;
  }

  /** Adds something whose next frame has this many bytes. */
  push(waiting: T, bytes: number): void {
    const cost = bytes + frameCost;
    const turn = Math.max(this.#now, this.#served.get(waiting.streamId) ?? 0) + cost;
    this.#heap.push({ waiting, cost, turn, order: this.#order++ });
    this.#rise(this.#heap.length - 1);
  }

  /** Takes what goes next, or returns undefined if nothing waits. */
  shift(): T | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) {
      return undefined;
    }
    this.#returnTurn = first.turn + first.cost;
    // What one stream got is an even share of what all would have got.
    this.#now += first.cost / (this.#heap.length + 1);
    this.#served.set(first.waiting.streamId, first.turn);
    if (last !== first) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first.waiting;
  }

  /** Begins anew: when all have been served, nobody is ahead of anybody. Nothing may wait. */
  restart(): void {
    this.#served.clear();
    this.#now = 0;
  }

  /** Takes out all that a stream has waiting. The stream has ended. */
  drop(streamId: number): T[] {
    const dropped: T[] = [];
    const left = this.#heap.filter(({ waiting }) => {
      if (waiting.streamId === streamId) {
        dropped.push(waiting);
      }
      return waiting.streamId !== streamId;
    });
    this.#served.delete(streamId);
    if (dropped.length > 0) {
      // Sorted is a heap too.
      this.#heap = left.sort((one, other) => (before(one, other) ? -1 : 1));
    }
    return dropped;
  }

  /** Takes out everything. */
  clear(): T[] {
    return this.#heap.splice(0).map(({ waiting }) => waiting);
  }

  #rise(index: number): void {
    const heap = this.#heap;
    const entry = heap[index] as Entry<T>;
    let at = index;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(entry, heap[above] as Entry<T>)) {
        break;
      }
      heap[at] = heap[above] as Entry<T>;
      at = above;
    }
    heap[at] = entry;
  }

  #sink(index: number): void {
    const heap = this.#heap;
    const entry = heap[index] as Entry<T>;
    let at = index;
    for (let below = 2 * at + 1; below < heap.length; below = 2 * at + 1) {
      const other = heap[below + 1];
      const next = other !== undefined && before(other, heap[below] as Entry<T>) ? below + 1 : below;
      if (!before(heap[next] as Entry<T>, entry)) {
        break;
      }
      heap[at] = heap[next] as Entry<T>;
      at = next;
    }
    heap[at] = entry;
  }
}

function before(one: Entry<unknown>, other: Entry<unknown>): boolean {
  return one.turn < other.turn || (one.turn === other.turn && one.order < other.order);
}
