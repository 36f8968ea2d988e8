// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { Encoder } from "./encoder.js";
import type { Fields } from "./fields.js";
import { localForm, type MessageField } from "./local-form.js";
import { hasImplicitPresence, isRequired } from "./presence.js";
import { type ScalarWriter, scalarWriter } from "./scalar-writer.js";
import { tagOf, wireTypeOf } from "./tag.js";

/**
 * Writes a field of a message if it is set. `typed` tells a message of the
 * type from an object that one can be created from: in a message a field with
 * presence is set if it is an own property, as its default is inherited.
 */
export type FieldWriter = (encoder: Encoder, message: Fields, typed: boolean) => void;

/** Writes the fields of a message. `typed` tells whether it is in a message, where it has to be one too. */
export type MessageWriter = (encoder: Encoder, message: unknown, typed: boolean) => void;

/** Writes a value behind its tag. */
type ValueWriter = (encoder: Encoder, value: unknown, typed: boolean) => void;

/** Returns the writer of a field. */
export function fieldWriter(field: DescField, writerOf: (desc: DescMessage) => MessageWriter): FieldWriter {
  switch (field.fieldKind) {
    case "list":
      return listWriter(field, writerOf);
    case "map":
      return mapWriter(field, writerOf);
    default:
      return singularWriter(field, writerOf);
  }
}

function singularWriter(
  field: DescField & { readonly fieldKind: "scalar" | "enum" | "message" },
  writerOf: (desc: DescMessage) => MessageWriter,
): FieldWriter {
  const name = field.localName;
  const write =
    field.fieldKind === "message"
      ? messageValueWriter(field, writerOf)
      : scalarValueWriter(field.number, scalarOf(field));
  if (field.oneof !== undefined) {
    const oneofName = field.oneof.localName;
    return (encoder, message, typed) => {
      const oneof = message[oneofName] as { readonly case: unknown; readonly value: unknown } | null | undefined;
      if (oneof?.case === name) {
        write(encoder, oneof.value, typed);
      }
    };
  }
  if (!hasImplicitPresence(field)) {
    const required = isRequired(field);
    return (encoder, message, typed) => {
      const value = message[name];
      if (value !== undefined && value !== null && (!typed || Object.hasOwn(message, name))) {
        write(encoder, value, typed);
      } else if (required) {
        throw new Error("it is required and not set");
      }
    };
  }
  return implicitWriter(field);
}

/** A field with implicit presence counts as not set if it has its zero value. */
function implicitWriter(field: DescField): FieldWriter {
  const name = field.localName;
  const type = scalarOf(field);
  const tag = tagOf(field.number, wireTypeOf(type));
  const write = scalarWriter(type);
  const isZero = zeroTest(field);
  return (encoder, message) => {
    const value = message[name];
    if (value !== undefined && value !== null && !isZero(value)) {
      encoder.uint32(tag);
      write(encoder, value);
    }
  };
}

/** Returns what tells whether a value is the zero of its type. */
function zeroTest(field: DescField): (value: unknown) => boolean {
  if (field.fieldKind === "enum") {
    // An enum whose fields have implicit presence begins with 0.
    return (value) => value === 0;
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return (value) => value === "";
    case ScalarType.BOOL:
      return (value) => value === false;
    case ScalarType.BYTES:
      return (value) => typeof value !== "string" && (value as Uint8Array).length === 0;
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      // -0 is not.
      return (value) => Object.is(value, 0);
    default:
      // biome-ignore lint/suspicious/noDoubleEquals: 0, 0n and "0" are equal to 0.
      return (value) => value == 0;
  }
}

/** Enums are written as int32. */
function scalarOf(field: {
  readonly scalar?: ScalarType | undefined;
  readonly enum?: DescEnum | undefined;
}): ScalarType {
  return field.scalar ?? ScalarType.INT32;
}

function scalarValueWriter(fieldNumber: number, type: ScalarType): ScalarWriter {
  const tag = tagOf(fieldNumber, wireTypeOf(type));
  const write = scalarWriter(type);
  return (encoder, value) => {
    encoder.uint32(tag);
    write(encoder, value);
  };
}

const empty: Fields = {};

function messageValueWriter(field: MessageField, writerOf: (desc: DescMessage) => MessageWriter): ValueWriter {
  const write = messageBodyWriter(field, writerOf);
  if (field.fieldKind !== "map" && field.delimitedEncoding) {
    const startTag = tagOf(field.number, WireType.StartGroup);
    const endTag = tagOf(field.number, WireType.EndGroup);
    return (encoder, value, typed) => {
      encoder.uint32(startTag);
      write(encoder, value, typed);
      encoder.uint32(endTag);
    };
  }
  const tag = tagOf(field.fieldKind === "map" ? 2 : field.number, WireType.LengthDelimited);
  return (encoder, value, typed) => {
    encoder.uint32(tag);
    const fork = encoder.fork();
    write(encoder, value, typed);
    encoder.join(fork);
  };
}

function messageBodyWriter(field: MessageField, writerOf: (desc: DescMessage) => MessageWriter): ValueWriter {
  const write = writerOf(field.message);
  const form = localForm(field);
  if (form !== undefined) {
    return (encoder, value) => write(encoder, form.toMessage(value), true);
  }
  return (encoder, value, typed) => {
    if (value === undefined) {
      write(encoder, empty, false);
    } else {
      write(encoder, value, typed);
    }
  };
}

function listWriter(
  field: DescField & { readonly fieldKind: "list" },
  writerOf: (desc: DescMessage) => MessageWriter,
): FieldWriter {
  const name = field.localName;
  if (field.listKind !== "message" && field.packed) {
    return packedWriter(field);
  }
  const write =
    field.listKind === "message"
      ? messageValueWriter(field, writerOf)
      : scalarValueWriter(field.number, scalarOf(field));
  return (encoder, message, typed) => {
    const items = message[name] as readonly unknown[] | null | undefined;
    if (items !== undefined && items !== null) {
      for (let index = 0; index < items.length; index++) {
        write(encoder, items[index], typed);
      }
    }
  };
}

function packedWriter(field: DescField & { readonly fieldKind: "list" }): FieldWriter {
  const name = field.localName;
  const tag = tagOf(field.number, WireType.LengthDelimited);
  const write = scalarWriter(scalarOf(field));
  return (encoder, message) => {
    const items = message[name] as readonly unknown[] | null | undefined;
    if (items === undefined || items === null || items.length === 0) {
      return;
    }
    encoder.uint32(tag);
    const fork = encoder.fork();
    for (let index = 0; index < items.length; index++) {
      write(encoder, items[index]);
    }
    encoder.join(fork);
  };
}

function mapWriter(
  field: DescField & { readonly fieldKind: "map" },
  writerOf: (desc: DescMessage) => MessageWriter,
): FieldWriter {
  const name = field.localName;
  const tag = tagOf(field.number, WireType.LengthDelimited);
  const writeKey = scalarValueWriter(1, field.mapKey);
  const keyOf = keyParser(field.mapKey);
  const writeValue =
    field.mapKind === "message" ? messageValueWriter(field, writerOf) : scalarValueWriter(2, scalarOf(field));
  return (encoder, message, typed) => {
    const map = message[name] as Fields | null | undefined;
    if (map === undefined || map === null) {
      return;
    }
    for (const key of Object.keys(map)) {
      encoder.uint32(tag);
      const fork = encoder.fork();
      writeKey(encoder, keyOf(key));
      writeValue(encoder, map[key], typed);
      encoder.join(fork);
    }
  };
}

/** Returns what makes the key of a map of that of an object, which is a text. */
function keyParser(type: ScalarType): (key: string) => unknown {
  switch (type) {
    case ScalarType.BOOL:
      return (key) => key !== "false" && key !== "";
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (key) => {
        // biome-ignore lint/correctness/useParseIntRadix: protobuf-es takes "0x10" for 16.
        const number = Number.parseInt(key);
        return Number.isFinite(number) ? number : key;
      };
    default:
      return (key) => key;
  }
}
