// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { Decoder, UnknownField } from "./decoder.js";
import { type FieldReader, fieldReader, type MessageReader } from "./field-reader.js";
import type { Fields } from "./fields.js";

const readers = new WeakMap<DescMessage, MessageReader>();

/** Returns the reader of a message type. */
export function messageReader(desc: DescMessage): MessageReader {
  return readers.get(desc) ?? newReader(desc);
}

// Fields with larger numbers are found by a Map.
const maxIndexedNumber = 255;

function newReader(desc: DescMessage): MessageReader {
  const largest = desc.fields.reduce((number, field) => Math.max(number, field.number), 0);
  const indexed = new Array<FieldReader | undefined>(Math.min(largest, maxIndexedNumber) + 1).fill(undefined);
  const others = new Map<number, FieldReader>();

  const readField = (decoder: Decoder, message: Fields, tag: number) => {
    const fieldNumber = tag >>> 3;
    const read = fieldNumber < indexed.length ? indexed[fieldNumber] : others.get(fieldNumber);
    if (read === undefined) {
      decoder.unknownField(tag, true);
    } else {
      read(decoder, message, tag);
    }
  };

  const reader: MessageReader = {
    read: (decoder, message, end) => {
      decoder.enter();
      const outer = decoder.unknown;
      decoder.unknown = message["$unknown"] as UnknownField[] | undefined;
      while (decoder.at < end) {
        readField(decoder, message, decoder.tag());
      }
      leave(decoder, message, outer);
    },
    readGroup: (decoder, message, fieldNumber) => {
      decoder.enter();
      const outer = decoder.unknown;
      decoder.unknown = message["$unknown"] as UnknownField[] | undefined;
      let tag = decoder.tag();
      for (; (tag & 7) !== WireType.EndGroup; tag = decoder.tag()) {
        readField(decoder, message, tag);
      }
      if (tag >>> 3 !== fieldNumber) {
        throw new Error(`the group of field ${fieldNumber} ends with field ${tag >>> 3}`);
      }
      leave(decoder, message, outer);
    },
  };
  // Before the fields: one of them may hold messages of this type.
  readers.set(desc, reader);
  for (const field of desc.fields) {
    const read = fieldReader(field, messageReader);
    if (field.number < indexed.length) {
      indexed[field.number] = read;
    } else {
      others.set(field.number, read);
    }
  }
  return reader;
}

/** Leaves a message. Its unknown fields are set last, so that they are its last property. */
function leave(decoder: Decoder, message: Fields, outer: UnknownField[] | undefined): void {
  if (decoder.unknown !== undefined) {
    message["$unknown"] = decoder.unknown;
  }
  decoder.unknown = outer;
  decoder.leave();
}
