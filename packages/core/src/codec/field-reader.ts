// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { Decoder } from "./decoder.js";
import { type Fields, setKey } from "./fields.js";
import { localForm, type MessageField } from "./local-form.js";
import { messageFactory } from "./message-factory.js";
import { type ScalarReader, scalarReader, scalarZero } from "./scalar-reader.js";

/**
 * Reads a field, behind its tag, into a message. The wire type only tells
 * packed lists from others: what a field is, its type says, as in protobuf-es.
 */
export type FieldReader = (decoder: Decoder, message: Fields, tag: number) => void;

/** Reads the fields of messages of one type. */
export interface MessageReader {
  /** Reads into a message until an offset. */
  read(decoder: Decoder, message: Fields, end: number): void;

  /** Reads into a message until the end of the group with this field number. */
  readGroup(decoder: Decoder, message: Fields, fieldNumber: number): void;
}

/** Returns the reader of a field. */
export function fieldReader(field: DescField, readerOf: (desc: DescMessage) => MessageReader): FieldReader {
  switch (field.fieldKind) {
    case "scalar":
      return valueReader(field, scalarReader(field.scalar, field.utf8Validation, field.longAsString));
    case "enum":
      return enumReader(field);
    case "message":
      return messageFieldReader(field, readerOf);
    case "list":
      return listReader(field, readerOf);
    case "map":
      return mapReader(field, readerOf);
  }
}

function valueReader(field: DescField, read: ScalarReader): FieldReader {
  const name = field.localName;
  if (field.oneof !== undefined) {
    const oneofName = field.oneof.localName;
    return (decoder, message) => {
      message[oneofName] = { case: name, value: read(decoder) };
    };
  }
  return (decoder, message) => {
    message[name] = read(decoder);
  };
}

function enumReader(field: DescField & { readonly fieldKind: "enum" }): FieldReader {
  const read = valueReader(field, (decoder) => decoder.int32());
  if (field.enum.open) {
    return read;
  }
  // A closed enum has no other values: they are unknown fields.
  const known = new Set(field.enum.values.map(({ number }) => number));
  return (decoder, message, tag) => {
    const start = decoder.at;
    const value = decoder.int32();
    if (known.has(value)) {
      decoder.at = start;
      read(decoder, message, tag);
    } else {
      decoder.keep({ no: field.number, wireType: tag & 7, data: varintOf(value) });
    }
  };
}

/** Returns the varint of an integer of 32 bits: a negative one takes ten bytes. */
function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
  return new Uint8Array([...bytes, Number(rest)]);
}

/** Reads a message into what is there already, if anything is, and returns it as the field keeps it. */
type ChildReader = (decoder: Decoder, existing: unknown) => unknown;

function childReader(field: MessageField, readerOf: (desc: DescMessage) => MessageReader): ChildReader {
  const reader = readerOf(field.message);
  const createMessage = messageFactory(field.message);
  const form = localForm(field);
  const fieldNumber = field.number;
  const delimited = field.fieldKind !== "map" && field.delimitedEncoding;
  const readInto = (decoder: Decoder, message: Fields) => {
    if (delimited) {
      reader.readGroup(decoder, message, fieldNumber);
    } else {
      const length = decoder.uint32();
      reader.read(decoder, message, decoder.at + length);
    }
    return message;
  };
  if (form !== undefined) {
    return (decoder, existing) => form.toLocal(readInto(decoder, form.toMessage(existing)));
  }
  return (decoder, existing) => readInto(decoder, (existing as Fields | undefined) ?? createMessage());
}

function messageFieldReader(
  field: DescField & { readonly fieldKind: "message" },
  readerOf: (desc: DescMessage) => MessageReader,
): FieldReader {
  const name = field.localName;
  const read = childReader(field, readerOf);
  if (field.oneof !== undefined) {
    const oneofName = field.oneof.localName;
    return (decoder, message) => {
      const oneof = message[oneofName] as { readonly case: unknown; readonly value: unknown };
      message[oneofName] = { case: name, value: read(decoder, oneof.case === name ? oneof.value : undefined) };
    };
  }
  return (decoder, message) => {
    message[name] = read(decoder, message[name]);
  };
}

function listReader(
  field: DescField & { readonly fieldKind: "list" },
  readerOf: (desc: DescMessage) => MessageReader,
): FieldReader {
  const name = field.localName;
  if (field.listKind === "message") {
    const readItem = childReader(field, readerOf);
    return (decoder, message) => {
      (message[name] as unknown[]).push(readItem(decoder, undefined));
    };
  }
  const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
  const longAsString = field.listKind === "scalar" && field.longAsString;
  const readItem = scalarReader(type, field.utf8Validation, longAsString);
  const packable = type !== ScalarType.STRING && type !== ScalarType.BYTES;
  return (decoder, message, tag) => {
    const items = message[name] as unknown[];
    if (packable && (tag & 7) === WireType.LengthDelimited) {
      const length = decoder.uint32();
      for (const end = decoder.at + length; decoder.at < end; ) {
        items.push(readItem(decoder));
      }
    } else {
      items.push(readItem(decoder));
    }
  };
}

function mapReader(
  field: DescField & { readonly fieldKind: "map" },
  readerOf: (desc: DescMessage) => MessageReader,
): FieldReader {
  const name = field.localName;
  const readKey = scalarReader(field.mapKey, field.utf8Validation, false);
  const keyZero = String(scalarZero(field.mapKey)());
  const { readValue, valueZero } = mapValueReader(field, readerOf);
  return (decoder, message) => {
    let key = keyZero;
    let value: unknown;
    const length = decoder.uint32();
    for (const end = decoder.at + length; decoder.at < end; ) {
      const tag = decoder.tag();
      switch (tag >>> 3) {
        case 1:
          key = String(readKey(decoder));
          break;
        case 2:
          // A message that comes in parts is merged.
          value = readValue(decoder, value);
          break;
        default:
          decoder.unknownField(tag, false);
      }
    }
    setKey(message[name] as Fields, key, value === undefined ? valueZero() : value);
  };
}

function mapValueReader(
  field: DescField & { readonly fieldKind: "map" },
  readerOf: (desc: DescMessage) => MessageReader,
): { readonly readValue: ChildReader; readonly valueZero: () => unknown } {
  switch (field.mapKind) {
    case "scalar":
      return {
        readValue: scalarReader(field.scalar, field.utf8Validation, false),
        valueZero: scalarZero(field.scalar),
      };
    case "enum": {
      const zero = field.enum.values[0]?.number;
      return { readValue: (decoder) => decoder.int32(), valueZero: () => zero };
    }
    case "message": {
      const createMessage = messageFactory(field.message);
      const form = localForm(field);
      return {
        readValue: childReader(field, readerOf),
        valueZero: form === undefined ? createMessage : () => form.toLocal(form.toMessage(undefined)),
      };
    }
  }
}
