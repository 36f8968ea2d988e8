// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ContextValues as ConnectContextValues, ContextKey as ConnectKey } from "@connectrpc/connect";
import { type ContextKey, ContextValues } from "@ts-drpc/core";

const unset = Symbol();

/** The context values of a call of Connect, for code of ts-drpc. What either side sets, the other sees. */
export class SharedContextValues extends ContextValues {
  readonly #values: ConnectContextValues;

  constructor(values: ConnectContextValues) {
    super();
    this.#values = values;
  }

  override get<T>(key: ContextKey<T>): T {
    return this.#values.get(key);
  }

  override has<T>(key: ContextKey<T>): boolean {
    return this.#values.get<unknown>({ id: key.id, defaultValue: unset }) !== unset;
  }

  override set<T>(key: ContextKey<T>, value: T): this {
    this.#values.set(key, value);
    return this;
  }

  override delete<T>(key: ContextKey<T>): this {
    this.#values.delete(key);
    return this;
  }
}

/** Returns the context values of a call of ts-drpc, for code of Connect. What either side sets, the other sees. */
export function toConnectContextValues(values: ContextValues): ConnectContextValues {
  return {
    get: <T>(key: ConnectKey<T>): T => values.get(key),
    set<T>(key: ConnectKey<T>, value: T) {
      values.set(key, value);
      return this;
    },
    delete(key: ConnectKey<unknown>) {
      values.delete(key);
      return this;
    },
  };
}
