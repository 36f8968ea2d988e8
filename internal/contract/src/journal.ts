// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Journal holds what happened on the server, under keys, so that a test can
 * wait for it instead of sleeping.
 */
export class Journal {
  readonly #notes = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #readers = new Map<string, ((note: string) => void)[]>();

  /** Writes a note under a key, and gives it to those who wait for it. */
  note(key: string, text: string): void {
    this.#notes.set(key, text);
    for (const resolve of this.#readers.get(key) ?? []) {
      resolve(text);
    }
    this.#readers.delete(key);
  }

  /** Resolves with the note under a key, once there is one. */
  async read(key: string): Promise<string> {
    const text = this.#notes.get(key);
    return text ?? new Promise((resolve) => this.#readers.set(key, [...(this.#readers.get(key) ?? []), resolve]));
  }

  /** Counts one more under a key. */
  add(key: string): void {
    this.#counts.set(key, this.count(key) + 1);
  }

  /** Returns how often was counted under a key. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}
