// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Names a value in {@link ContextValues}, and holds what it is when nobody set it. */
export interface ContextKey<T> {
  readonly id: symbol;
  readonly defaultValue: T;
}

/** Creates a key for {@link ContextValues}. Two keys are never the same, even with the same description. */
export function createContextKey<T>(
  defaultValue: T,
  options: { readonly description?: string | undefined } = {},
): ContextKey<T> {
  return { id: Symbol(options.description), defaultValue };
}

/**
 * Typed values that go with a call inside one process: from an interceptor to
 * the next, and to the handler. They never travel.
 */
export class ContextValues {
  // Made with the first value: most calls have none.
  #values: Map<symbol, unknown> | undefined;

  /** Returns what was set under the key, or its default. */
  get<T>(key: ContextKey<T>): T {
    return this.#values?.has(key.id) === true ? (this.#values.get(key.id) as T) : key.defaultValue;
  }

  /** Tells whether a value was set under the key. */
  has<T>(key: ContextKey<T>): boolean {
    return this.#values?.has(key.id) === true;
  }

  /** Sets the value under the key. */
  set<T>(key: ContextKey<T>, value: T): this {
    this.#values ??= new Map();
    this.#values.set(key.id, value);
    return this;
  }

  /** Takes the key back to its default. */
  delete<T>(key: ContextKey<T>): this {
    this.#values?.delete(key.id);
    return this;
  }
}
