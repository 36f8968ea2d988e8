// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A message, or what one can be created from, by the names of its fields. */
export type Fields = Record<string, unknown>;

/**
 * Sets a key of a map. `__proto__` becomes a key like any other. All others
 * are assigned, which is faster.
 */
export function setKey(map: Fields, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    map[key] = value;
  }
}
