// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage } from "@bufbuild/protobuf";
import type { Encoder } from "./encoder.js";
import { type FieldWriter, fieldWriter, type MessageWriter } from "./field-writer.js";
import type { Fields } from "./fields.js";
import { tagOf } from "./tag.js";

/** A message cannot be encoded. */
class EncodeError extends Error {
  override readonly name: string = "EncodeError";
}

const writers = new WeakMap<DescMessage, MessageWriter>();

/** Returns the writer of a message type. */
export function messageWriter(desc: DescMessage): MessageWriter {
  return writers.get(desc) ?? newWriter(desc);
}

function newWriter(desc: DescMessage): MessageWriter {
  const { typeName } = desc;
  const fields = [...desc.fields].sort((a, b) => a.number - b.number);
  const fieldWriters: FieldWriter[] = [];
  const write: MessageWriter = (encoder, value, parentTyped) => {
    const message = value as Fields;
    const typed = message["$typeName"] === typeName;
    if (!typed && fields.length > 0 && (parentTyped || typeof value !== "object" || Array.isArray(value))) {
      throw new EncodeError(`${nameOf(value)} is no ${typeName}`);
    }
    let index = 0;
    try {
      for (; index < fieldWriters.length; index++) {
        (fieldWriters[index] as FieldWriter)(encoder, message, typed);
      }
    } catch (reason) {
      if (reason instanceof EncodeError) {
        throw reason;
      }
      const text = reason instanceof Error ? reason.message : String(reason);
      throw new EncodeError(`field ${typeName}.${fields[index]?.name}: ${text}`, { cause: reason });
    }
    // What is created from an object has no unknown fields.
    if (typed && message["$unknown"] !== undefined) {
      writeUnknown(encoder, message["$unknown"] as readonly UnknownField[]);
    }
  };
  // Before the fields: one of them may hold messages of this type.
  writers.set(desc, write);
  for (const field of fields) {
    fieldWriters.push(fieldWriter(field, messageWriter));
  }
  return write;
}

interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

function writeUnknown(encoder: Encoder, fields: readonly UnknownField[]): void {
  for (const { no, wireType, data } of fields) {
    encoder.uint32(tagOf(no, wireType));
    encoder.raw(data);
  }
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return String(value);
  }
  return String((value as Fields)["$typeName"] ?? (Array.isArray(value) ? "an array" : "an object"));
}
