// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage } from "@bufbuild/protobuf";
import type { Fields } from "./fields.js";

/** Returns an empty message. */
export type MessageFactory = () => Fields;

// An object that gets more fields one by one becomes a hash table in V8, which is slow to make and to read.
const maxAddedFields = 12;

const nothing = (): undefined => undefined;
const factories = new WeakMap<DescMessage, MessageFactory>();

/** Returns what makes empty messages of a type: the same as `create` of protobuf-es, of which it takes the first. */
export function messageFactory(desc: DescMessage): MessageFactory {
  let factory = factories.get(desc);
  if (factory === undefined) {
    factory = newFactory(create(desc) as unknown as Fields);
    factories.set(desc, factory);
  }
  return factory;
}

function newFactory(empty: Fields): MessageFactory {
  const prototype: object = Object.getPrototypeOf(empty);
  const plain = prototype === Object.prototype;
  const names = Object.keys(empty);
  const values = names.map((name) => empty[name]);
  const fresh = values.map(freshValue);
  if (names.length <= maxAddedFields) {
    return () => {
      const message: Fields = plain ? {} : Object.create(prototype);
      for (let index = 0; index < names.length; index++) {
        const newValue = fresh[index] as () => unknown;
        message[names[index] as string] = newValue === nothing ? values[index] : newValue();
      }
      return message;
    };
  }
  // JSON.parse makes no hash tables, and a spread copies what it finds.
  const template = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as Fields;
  for (const name of names) {
    template[name] = empty[name];
  }
  const freshNames = names.filter((_, index) => fresh[index] !== nothing);
  const freshValues = fresh.filter((newValue) => newValue !== nothing);
  return () => {
    const message: Fields = plain ? { ...template } : { __proto__: prototype, ...template };
    for (let index = 0; index < freshNames.length; index++) {
      message[freshNames[index] as string] = (freshValues[index] as () => unknown)();
    }
    return message;
  };
}

/** Returns what makes the value of a field that no two messages may share. */
function freshValue(value: unknown): () => unknown {
  if (Array.isArray(value)) {
    return () => [];
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    return nothing;
  }
  return "case" in value ? () => ({ case: undefined }) : () => ({});
}
