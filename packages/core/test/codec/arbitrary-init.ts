// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type DescEnum, type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";

type Value = fc.Arbitrary<unknown>;

const memo = new Map<string, fc.Arbitrary<object>>();

/** Objects that messages of a type can be created from, with messages nested so deep at most. */
export function arbitraryInit(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  const key = `${depth} ${desc.typeName}`;
  let arbitrary = memo.get(key);
  if (arbitrary === undefined) {
    arbitrary = newInit(desc, depth);
    memo.set(key, arbitrary);
  }
  return arbitrary;
}

function newInit(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  const members: [string, Value][] = [];
  for (const member of desc.members) {
    const value = member.kind === "oneof" ? oneofValue(member, depth) : fieldValue(member, depth);
    if (value !== undefined) {
      const required = member.kind === "field" && member.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
      const absent = required ? 1 : desc.members.length > 40 ? 60 : 8;
      members.push([
        member.localName,
        fc.oneof({ arbitrary: fc.constant(absence), weight: absent }, { arbitrary: value, weight: 12 }),
      ]);
    }
  }
  return fc
    .tuple(...members.map(([, value]) => value))
    .map((values) =>
      Object.fromEntries(
        members.flatMap(([name], index) => (values[index] === absence ? [] : [[name, values[index]]])),
      ),
    );
}

const absence = Symbol("absence");

function oneofValue(oneof: DescOneof, depth: number): Value {
  const cases = oneof.fields.flatMap((field) => {
    const value = fieldValue(field, depth);
    return value === undefined ? [] : [value.map((value) => ({ case: field.localName, value }))];
  });
  return fc.oneof(fc.constantFrom({ case: undefined }, undefined, { case: "noSuchCase", value: 1 }), ...cases);
}

/** Undefined where messages would be nested too deep. */
function fieldValue(field: DescField, depth: number): Value | undefined {
  switch (field.fieldKind) {
    case "scalar":
      return scalarValue(field.scalar, field.longAsString);
    case "enum":
      return enumValue(field.enum);
    case "message":
      return messageValue(field, field.message, depth);
    case "list": {
      const item =
        field.listKind === "message"
          ? messageValue(field, field.message, depth)
          : field.listKind === "enum"
            ? enumValue(field.enum)
            : scalarValue(field.scalar, field.longAsString);
      return item && fc.array(item, { maxLength: 4 });
    }
    case "map": {
      const value =
        field.mapKind === "message"
          ? messageValue(field, field.message, depth)
          : field.mapKind === "enum"
            ? enumValue(field.enum)
            : scalarValue(field.scalar, false);
      return value && fc.array(fc.tuple(mapKey(field.mapKey), value), { maxLength: 3 }).map(Object.fromEntries);
    }
  }
}

function messageValue(field: DescField, message: DescMessage, depth: number): Value | undefined {
  if (message.typeName === "google.protobuf.Struct" && field.parent?.typeName !== "google.protobuf.Value") {
    return jsonObject;
  }
  const wrapped = message.fields[0];
  if (
    field.fieldKind === "message" &&
    field.oneof === undefined &&
    isWrapperDesc(message) &&
    wrapped?.fieldKind === "scalar"
  ) {
    return scalarValue(wrapped.scalar, false);
  }
  return depth > 0 ? arbitraryInit(message, depth - 1) : undefined;
}

const { object: jsonObject } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, -0, Number.NaN, undefined),
    fc.double(),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value"), { maxKeys: 3 }),
}));

/** Any number for an open enum, and now and then for a closed one: both are written. */
function enumValue({ values, open }: DescEnum): Value {
  const known = fc.constantFrom(...values.map(({ number }) => number));
  return fc.oneof({ arbitrary: known, weight: 5 }, { arbitrary: int32, weight: open ? 3 : 1 });
}

const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 127, 128, 0x7fff_ffff, -0x8000_0000, -0));
const uint32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 127, 128, 0x7fff_ffff, 0xffff_ffff),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.constantFrom(0n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 35n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 300n }),
  fc.constantFrom(0n, 127n, 128n, 2n ** 28n, 2n ** 32n, 2n ** 56n, 2n ** 63n, 2n ** 64n - 1n),
);
const text = fc.oneof(
  { arbitrary: fc.string(), weight: 4 },
  { arbitrary: fc.string({ unit: "binary" }), weight: 3 },
  { arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom("x", "ä", "€", "😀", "\ud83d", "\ufeff"), fc.integer({ min: 20, max: 300 }))
      .map(([unit, times]) => unit.repeat(times)),
    weight: 2,
  },
);
const bytes = fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 120, maxLength: 140 }));

function scalarValue(type: ScalarType, longAsString: boolean): Value {
  const long = (value: fc.Arbitrary<bigint>) => (longAsString ? value.map(String) : value);
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return int32;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return long(int64);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return long(uint64);
  }
}

function mapKey(type: ScalarType): fc.Arbitrary<string> {
  if (type === ScalarType.STRING) {
    return fc.oneof(text, fc.constantFrom("__proto__", "constructor", "1"));
  }
  return scalarValue(type, false).map(String);
}
