// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";

/**
 * Bytes such as a hostile or a broken peer would send to a type: fields of the
 * type and others, of right and wrong wire types, in any order and number,
 * nested, overlong, and cut off.
 */
export function arbitraryWire(desc: DescMessage, depth: number): fc.Arbitrary<Uint8Array> {
  const whole = records(desc, depth);
  return fc.oneof(
    { arbitrary: whole, weight: 6 },
    {
      arbitrary: fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1))),
      weight: 1,
    },
    {
      arbitrary: fc.tuple(whole, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
        const changed = bytes.slice();
        changed[at % Math.max(1, bytes.length)] = byte;
        return changed;
      }),
      weight: 2,
    },
    { arbitrary: fc.uint8Array(), weight: 1 },
  );
}

const memo = new Map<string, fc.Arbitrary<Uint8Array>>();

function records(desc: DescMessage, depth: number): fc.Arbitrary<Uint8Array> {
  const key = `${depth} ${desc.typeName}`;
  let arbitrary = memo.get(key);
  if (arbitrary === undefined) {
    const mixed = fc.array(
      desc.fields.length === 0
        ? unknownRecord
        : fc.oneof(
            { arbitrary: fc.oneof(...desc.fields.map((field) => record(field, depth))), weight: 6 },
            { arbitrary: unknownRecord, weight: 1 },
          ),
      { maxLength: 6 },
    );
    // What comes of a field that comes again.
    const repeated =
      desc.fields.length === 0
        ? mixed
        : fc
            .constantFrom(...desc.fields)
            .chain((field) => fc.array(record(field, depth), { minLength: 2, maxLength: 4 }));
    arbitrary = fc.oneof({ arbitrary: mixed, weight: 3 }, { arbitrary: repeated, weight: 1 }).map(join);
    memo.set(key, arbitrary);
  }
  return arbitrary;
}

/** A field of the type, mostly as it should be. */
function record(field: DescField, depth: number): fc.Arbitrary<Uint8Array> {
  const fits = value(field, depth).map(({ wireType, data, behind }) =>
    join([tag(field.number, wireType), data, behind ?? new Uint8Array(0)]),
  );
  const misfits = fc
    .tuple(fc.integer({ min: 0, max: 7 }), anyData)
    .map(([wireType, data]) => join([tag(field.number, wireType), data]));
  return fc.oneof({ arbitrary: fits, weight: 12 }, { arbitrary: misfits, weight: 1 });
}

interface WireValue {
  readonly wireType: number;
  readonly data: Uint8Array;
  /** The end of a group. */
  readonly behind?: Uint8Array;
}

function value(field: DescField, depth: number): fc.Arbitrary<WireValue> {
  switch (field.fieldKind) {
    case "scalar":
      return scalar(field.scalar);
    case "enum":
      return enumNumber(field.enum.values.map(({ number }) => number));
    case "message":
      return message(field, field.message, field.delimitedEncoding, depth);
    case "list": {
      if (field.listKind === "message") {
        return message(field, field.message, field.delimitedEncoding, depth);
      }
      const item =
        field.listKind === "enum" ? enumNumber(field.enum.values.map(({ number }) => number)) : scalar(field.scalar);
      return fc.oneof(
        item,
        fc.array(item, { maxLength: 4 }).map((items) => delimited(join(items.map(({ data }) => data)))),
      );
    }
    case "map":
      return mapEntry(field, depth);
  }
}

function mapEntry(field: DescField & { readonly fieldKind: "map" }, depth: number): fc.Arbitrary<WireValue> {
  const values =
    field.mapKind === "message"
      ? message(field, field.message, false, depth)
      : field.mapKind === "enum"
        ? enumNumber(field.enum.values.map(({ number }) => number))
        : scalar(field.scalar);
  const part = fc.oneof(
    { arbitrary: scalar(field.mapKey).map(({ wireType, data }) => join([tag(1, wireType), data])), weight: 4 },
    { arbitrary: values.map(({ wireType, data }) => join([tag(2, wireType), data])), weight: 4 },
    { arbitrary: unknownRecord, weight: 1 },
  );
  return fc.array(part, { maxLength: 4 }).map((parts) => delimited(join(parts)));
}

function message(field: DescField, desc: DescMessage, group: boolean, depth: number): fc.Arbitrary<WireValue> {
  const body =
    depth > 0 ? fc.oneof(fc.constant(new Uint8Array(0)), records(desc, depth - 1)) : fc.constant(new Uint8Array(0));
  if (!group) {
    return body.map(delimited);
  }
  const endNumber = fc.oneof(
    { arbitrary: fc.constant(field.number), weight: 20 },
    { arbitrary: fc.integer({ min: 1, max: 20 }), weight: 1 },
  );
  return fc
    .tuple(body, endNumber)
    .map(([data, number]) => ({ wireType: WireType.StartGroup, data, behind: tag(number, WireType.EndGroup) }));
}

function enumNumber(known: readonly number[]): fc.Arbitrary<WireValue> {
  return fc.oneof(fc.constantFrom(...known), fc.integer()).map((number) => ({
    wireType: WireType.Varint,
    data: varint(BigInt.asUintN(64, BigInt(number))),
  }));
}

const anyVarint = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 200n }),
      fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 64n - 1n),
    ),
    fc.oneof({ arbitrary: fc.constant(0), weight: 8 }, { arbitrary: fc.integer({ min: 1, max: 11 }), weight: 1 }),
  )
  .map(([number, atLeast]) => varint(number, atLeast));
const fixed32 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const fixed64 = fc.uint8Array({ minLength: 8, maxLength: 8 });
const utf8 = fc.oneof(
  { arbitrary: fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)), weight: 8 },
  { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 1 },
);

function scalar(type: ScalarType): fc.Arbitrary<WireValue> {
  switch (type) {
    case ScalarType.STRING:
      return utf8.map(delimited);
    case ScalarType.BYTES:
      return fc.uint8Array().map(delimited);
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return fixed64.map((data) => ({ wireType: WireType.Bit64, data }));
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return fixed32.map((data) => ({ wireType: WireType.Bit32, data }));
    default:
      return anyVarint.map((data) => ({ wireType: WireType.Varint, data }));
  }
}

const anyData = fc.oneof(
  anyVarint,
  fixed32,
  fixed64,
  fc.uint8Array().map((bytes) => delimited(bytes).data),
  fc.constant(new Uint8Array(0)),
);

/** A field that may be in no type, or a group of such. */
const { unknownRecord } = fc.letrec<{ unknownRecord: Uint8Array }>((tie) => ({
  unknownRecord: fc.oneof(
    { depthSize: "small" },
    fc
      .tuple(
        fc.oneof(fc.integer({ min: 0, max: 2 ** 29 - 1 }), fc.integer({ min: 1, max: 20 })),
        fc.integer({ min: 0, max: 7 }),
        anyData,
      )
      .map(([number, wireType, data]) => join([tag(number, wireType), data])),
    fc
      .integer({ min: 1000, max: 2 ** 29 - 1 })
      .chain((number) =>
        fc
          .array(tie("unknownRecord"), { maxLength: 2 })
          .map((inner) => join([tag(number, WireType.StartGroup), ...inner, tag(number, WireType.EndGroup)])),
      ),
  ),
}));

function delimited(data: Uint8Array): WireValue {
  return { wireType: WireType.LengthDelimited, data: join([varint(BigInt(data.length)), data]) };
}

function tag(number: number, wireType: number): Uint8Array {
  return varint((BigInt(number) << 3n) | BigInt(wireType));
}

/** A varint of at least so many bytes. */
function varint(value: bigint, atLeast = 0): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length < Math.max(1, atLeast); rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
  bytes[bytes.length - 1] = (bytes.at(-1) as number) & 0x7f;
  return new Uint8Array(bytes);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
