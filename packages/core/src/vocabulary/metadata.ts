// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A metadata value: text, or bytes under a key that ends in `-bin`. */
export type MetadataValue = string | Uint8Array;

/** What {@link Metadata} can be made from: another Metadata, pairs, or a plain object. */
export type MetadataInit =
  | Metadata
  | Iterable<readonly [string, MetadataValue]>
  | { readonly [key: string]: MetadataValue | readonly MetadataValue[] };

/**
 * Named values that travel with an RPC, beside its messages.
 *
 * Keys are compared as they are, capitals included. A key may have several
 * values. A value is text, but under a key that ends in `-bin` it is bytes, as
 * in gRPC.
 *
 * Setting text under a `-bin` key, or bytes under another, throws a TypeError
 * that names the key.
 */
export class Metadata implements Iterable<[string, MetadataValue]> {
  readonly #values = new Map<string, MetadataValue[]>();

  constructor(init?: MetadataInit) {
    if (init === undefined) {
      return;
    }
    if (typeof init !== "object" || init === null) {
      throw new TypeError(`metadata must be an object or pairs, got ${String(init)}`);
    }
    if (isIterable(init)) {
      for (const [key, value] of init) {
        this.append(key, value);
      }
      return;
    }
    for (const [key, value] of Object.entries(init)) {
      for (const each of isMany(value) ? value : [value]) {
        this.append(key, each);
      }
    }
  }

  /** How many keys there are. */
  get size(): number {
    return this.#values.size;
  }

  /** Returns the text under a key: its first value, or undefined if there is none or it is bytes. */
  get(key: string): string | undefined {
    const value = this.#values.get(key)?.[0];
    return typeof value === "string" ? value : undefined;
  }

  /** Returns the bytes under a key that ends in `-bin`: its first value, or undefined if there is none. */
  getBinary(key: string): Uint8Array | undefined {
    const value = this.#values.get(key)?.[0];
    return value instanceof Uint8Array ? value : undefined;
  }

  /** Returns all values under a key, in the order in which they came. */
  getAll(key: string): readonly MetadataValue[] {
    return this.#values.get(key)?.slice() ?? [];
  }

  /** Tells whether there is a value under a key. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Puts a value under a key, in place of all that were there. */
  set(key: string, value: MetadataValue): this {
    checkValue(key, value);
    this.#values.set(key, [value]);
    return this;
  }

  /** Adds a value under a key, behind those that are there. */
  append(key: string, value: MetadataValue): this {
    checkValue(key, value);
    const values = this.#values.get(key);
    if (values === undefined) {
      this.#values.set(key, [value]);
    } else {
      values.push(value);
    }
    return this;
  }

  /** Removes all values under a key, and tells whether there were any. */
  delete(key: string): boolean {
    return this.#values.delete(key);
  }

  /** Returns the keys, each once. */
  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  /** Walks over all pairs: a key with several values comes several times. */
  *[Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    for (const [key, values] of this.#values) {
      for (const value of values) {
        yield [key, value];
      }
    }
  }
}

/** Tells whether the values under a key are bytes. */
export function isBinaryKey(key: string): boolean {
  return key.endsWith("-bin");
}

function checkValue(key: string, value: MetadataValue): void {
  const wanted = isBinaryKey(key) ? "a Uint8Array" : "a string";
  const fits = isBinaryKey(key) ? value instanceof Uint8Array : typeof value === "string";
  if (!fits) {
    throw new TypeError(`metadata key "${key}" takes ${wanted}, got ${value === null ? "null" : typeof value}`);
  }
}

function isMany(value: MetadataValue | readonly MetadataValue[]): value is readonly MetadataValue[] {
  return Array.isArray(value);
}

function isIterable(init: MetadataInit): init is Metadata | Iterable<readonly [string, MetadataValue]> {
  return Symbol.iterator in init;
}
