// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  create,
  type DescExtension,
  type DescMessage,
  fromBinary,
  getExtension,
  type Message,
  type MessageInitShape,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import { SayRequestSchema, toHex } from "@ts-drpc-internal/fixtures";
import { cornerTypes, protobufTypes } from "@ts-drpc-internal/protobuf-conformance";
import fc from "fast-check";
import { messageCodec } from "../../src/codec/message-codec.js";

type Init = MessageInitShape<DescMessage>;

function type(name: string): DescMessage {
  const found = cornerTypes.getMessage(name) ?? protobufTypes.getMessage(name);
  assert.ok(found, `there is no ${name}`);
  return found;
}

function encode(desc: DescMessage, init: object): Uint8Array {
  return messageCodec(desc).encode(init as Init);
}

function decode(desc: DescMessage, bytes: Uint8Array): Record<string, unknown> & Message {
  return messageCodec(desc).decode(bytes) as Record<string, unknown> & Message;
}

/** What protobuf-es makes of the same. */
function expected(desc: DescMessage, init: object): Uint8Array {
  return toBinary(desc, create(desc, init as Init));
}

/** Returns a result, or that there is none. */
function outcome<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

const sentence = type("corner.v1.Sentence");
const numbers = type("corner.v1.Numbers");
const groups = type("corner.v1.proto2.Groups");
const defaults = type("corner.v1.proto2.Defaults");
const allTypes = type("protobuf_test_messages.proto3.TestAllTypesProto3");

describe("encode", () => {
  test("makes a text of any length the same bytes, with any unit anywhere", () => {
    const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 200 });
    const unit = fc.constantFrom("", "\u0080", "\u07ff", "\u0800", "\uffff", "😀", "\ud800", "\udc00");
    fc.assert(
      fc.property(ascii, unit, ascii, fc.integer({ min: 1, max: 300 }), (before, middle, behind, times) => {
        const text = before + middle.repeat(times) + behind;
        assert.equal(toHex(encode(sentence, { sentence: text })), toHex(expected(sentence, { sentence: text })));
      }),
    );
  });

  test("makes a text the same bytes that is much longer as UTF-8, and larger than the buffer", () => {
    for (const text of ["€".repeat(20_000), `${"x".repeat(16_380)}${"😀".repeat(5)}`, "x😀€ä".repeat(30_000)]) {
      assert.deepEqual(encode(sentence, { sentence: text }), expected(sentence, { sentence: text }));
    }
  });

  test("makes texts the same bytes wherever the buffer ends", () => {
    for (let length = 30; length < 90; length++) {
      const text = `${"x".repeat(length)}€`;
      const bytes = expected(sentence, { sentence: text });
      for (let count = 0; count < 600; count++) {
        assert.ok(Buffer.from(encode(sentence, { sentence: text })).equals(bytes), `${length}`);
      }
    }
  });

  test("makes messages the same bytes whose length takes one to four bytes", () => {
    for (const length of [120, 127, 128, 16_370, 16_383, 16_384, 2_097_140, 2_097_152]) {
      const init = { self: { self: { at16: new Uint8Array(length) } } };
      assert.deepEqual(encode(numbers, init), expected(numbers, init), `${length}`);
    }
  });

  test("does not touch again what it has returned", () => {
    const kept: [Uint8Array, string][] = [];
    for (let count = 0; count < 5000; count++) {
      const bytes = encode(sentence, { sentence: `sentence ${count}` });
      kept.push([bytes, toHex(bytes)]);
    }
    for (const [bytes, before] of kept) {
      assert.equal(toHex(bytes), before);
    }
  });

  test("does not let a small message keep what a large one took", () => {
    encode(sentence, { sentence: "x".repeat(1_000_000) });
    const small = encode(sentence, { sentence: "small" });
    assert.ok(small.buffer.byteLength <= 16_384, `it keeps ${small.buffer.byteLength} bytes`);
  });

  test("takes a field that is null or undefined for one that is not set, in objects and in messages", () => {
    const init = { sentence: undefined };
    assert.equal(encode(sentence, init).length, 0);
    assert.equal(encode(sentence, { sentence: null }).length, 0);
    assert.equal(encode(sentence, { $typeName: sentence.typeName }).length, 0);
    const message = create(allTypes) as unknown as Record<string, unknown>;
    for (const key of Object.keys(message).filter((key) => key !== "$typeName")) {
      message[key] = undefined;
    }
    assert.equal(encode(allTypes, message).length, 0);
  });

  test("writes the unknown fields of a message, and none of an object that one can be created from", () => {
    const $unknown = [{ no: 5, wireType: 0, data: new Uint8Array([7]) }];
    assert.equal(toHex(encode(sentence, Object.assign(create(sentence), { $unknown }))), "2807");
    assert.equal(toHex(encode(sentence, { $unknown })), "");
  });

  test("reads fields of instances, which may be getters", () => {
    class Sentence {
      get sentence(): string {
        return "from a getter";
      }
    }
    assert.deepEqual(encode(sentence, new Sentence()), expected(sentence, { sentence: "from a getter" }));
  });

  test("lets a getter encode another message", () => {
    const inner = expected(sentence, { sentence: "inner" });
    const init = {
      at254: "before",
      get at255() {
        return toHex(encode(sentence, { sentence: "inner" }));
      },
      at256: "behind",
    };
    const bytes = encode(numbers, init);
    assert.deepEqual(bytes, expected(numbers, { at254: "before", at255: toHex(inner), at256: "behind" }));
  });

  test("names the field whose value does not fit, and encodes the next message well", () => {
    assert.throws(() => encode(numbers, { between: 1, self: { between: 1.5 } }), {
      message: "field corner.v1.Numbers.between: 1.5 does not fit int32",
    });
    assert.deepEqual(encode(numbers, { between: 2 }), expected(numbers, { between: 2 }));
  });

  test("names the required field that is not set", () => {
    const required = type("corner.v1.proto2.Required");
    assert.throws(() => encode(required, { name: "outer", closed: 1, inner: { name: "inner" } }), {
      message: "field corner.v1.proto2.Required.closed: it is required and not set",
    });
  });

  test("refuses what is no object, and a message of another type in a message", () => {
    assert.throws(() => encode(sentence, "text" as never), { message: "text is no corner.v1.Sentence" });
    assert.throws(() => encode(numbers, { self: 1 }), { message: "1 is no corner.v1.Numbers" });
    const message = Object.assign(create(numbers), { self: create(sentence) });
    assert.throws(() => encode(numbers, message), { message: "corner.v1.Sentence is no corner.v1.Numbers" });
  });

  test("takes and refuses the values for scalars that protobuf-es takes and refuses", () => {
    const fields = allTypes.fields.filter(
      (field) => ["scalar", "list", "enum"].includes(field.fieldKind) && field.message === undefined && !field.oneof,
    );
    const values = [1.5, -1, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 1e39, Number.NaN, Number.POSITIVE_INFINITY, -0];
    const others = ["", "5", "1e3", "-1", "abc", "NaN", "Infinity", true, 1n << 63n, -1n, 1n << 64n, {}, [1], [300]];
    for (const field of fields) {
      for (const value of [...values, ...others]) {
        const init = { [field.localName]: field.fieldKind === "list" ? [value] : value };
        const theirs = outcome(() => expected(allTypes, init));
        assert.deepEqual(
          outcome(() => encode(allTypes, init)),
          theirs,
          `${String(value)} for ${field.name}`,
        );
      }
    }
  });

  test("parses the keys of maps as protobuf-es does", () => {
    for (const field of allTypes.fields.filter(({ fieldKind }) => fieldKind === "map")) {
      for (const key of ["", "1", "0x10", "1x", "abc", "true", "false", "-1", "Infinity", "1e3", " 7 "]) {
        const value = field.message !== undefined ? {} : undefined;
        const init = { [field.localName]: { [key]: value ?? zeroOf(field.localName) } };
        const theirs = outcome(() => expected(allTypes, init));
        assert.deepEqual(
          outcome(() => encode(allTypes, init)),
          theirs,
          `${JSON.stringify(key)} for ${field.name}`,
        );
      }
    }
  });

  test("writes extensions as protobuf-es does, which keeps them as unknown fields", () => {
    const message = create(groups);
    setExtension(message, extension("text_extension"), "text");
    setExtension(message, extension("numbers_extension"), [1, -1, 300]);
    setExtension(message, extension("defaults_extension"), create(defaults, { bool: false } as Init));
    setExtension(message, extension("GroupExtension"), { $typeName: "corner.v1.proto2.GroupExtension", number: 5 });
    const bytes = encode(groups, message);
    assert.equal(toHex(bytes), toHex(toBinary(groups, message)));
    const decoded = decode(groups, bytes);
    assert.equal(getExtension(decoded, extension("text_extension")), "text");
    assert.deepEqual(getExtension(decoded, extension("numbers_extension")), [1, -1, 300]);
  });
});

function extension(name: string): DescExtension {
  const found = [...cornerTypes].find(
    (desc) => desc.kind === "extension" && desc.name.toLowerCase() === name.toLowerCase(),
  );
  assert.ok(found?.kind === "extension", `there is no ${name}`);
  return found;
}

/** A value that fits a map of the name. */
function zeroOf(localName: string): unknown {
  const value = /(Bytes|String|Bool|Int64|Uint64|Sint64|Fixed64|Sfixed64)$/.exec(localName)?.[1] ?? "";
  return value === "Bytes"
    ? new Uint8Array(1)
    : value === "String"
      ? "s"
      : value === "Bool"
        ? true
        : value === ""
          ? 1
          : 1n;
}

describe("decode", () => {
  test("makes fields of type bytes views of the given array", () => {
    const bytes = expected(numbers, { at16: new Uint8Array([1, 2, 3]) });
    const { at16 } = decode(numbers, bytes);
    assert.ok(at16 instanceof Uint8Array);
    assert.equal(at16.buffer, bytes.buffer);
    assert.equal(at16.byteOffset, bytes.byteOffset + bytes.length - 3);
  });

  test("reads a part of a larger array, and nothing behind it", () => {
    const bytes = new Uint8Array([0xff, 10, 2, 104, 105, 10, 1, 120]);
    assert.equal(decode(sentence, bytes.subarray(1, 5))["sentence"], "hi");
    assert.throws(() => decode(sentence, bytes.subarray(1, 4)), { message: "the bytes end inside a field" });
  });

  test("returns messages that share nothing", () => {
    const first = decode(allTypes, new Uint8Array(0));
    const second = decode(allTypes, new Uint8Array(0));
    const objects = Object.keys(first).filter(
      (key) => typeof first[key] === "object" && !(first[key] instanceof Uint8Array),
    );
    assert.ok(objects.length > 50);
    for (const key of objects) {
      assert.notEqual(first[key], second[key], key);
    }
  });

  test("takes messages nested 100 deep and refuses 101, as protobuf-es does, in fields, groups and unknown groups", () => {
    const inField = (bytes: Uint8Array) =>
      new Uint8Array(Buffer.concat([Buffer.from([26, ...varint(bytes.length)]), bytes]));
    const inGroup = (bytes: Uint8Array) => new Uint8Array([11, 18, ...varint(bytes.length), ...bytes, 12]);
    const inUnknownGroup = (bytes: Uint8Array) => new Uint8Array([0xa3, 6, ...bytes, 0xa4, 6]);
    for (const [desc, wrap] of [
      [numbers, inField],
      [groups, inGroup],
      [sentence, inUnknownGroup],
    ] as const) {
      let bytes: Uint8Array = new Uint8Array(0);
      let depth = 0;
      let ours = true;
      for (; ours && depth < 200; depth++) {
        bytes = wrap(bytes);
        ours = outcome(() => decode(desc, bytes)) !== undefined;
        assert.equal(ours, outcome(() => fromBinary(desc, bytes)) !== undefined, `${desc.typeName} ${depth}`);
      }
      assert.ok(depth === 100 || depth === 50, `${desc.typeName}: ${depth}`);
    }
  });

  test("keeps unknown values of closed enums beside other unknown fields, in the order of the wire", () => {
    const bytes = new Uint8Array([0xa0, 6, 1, 0x30, 99, 0xa0, 6, 2]);
    const { $unknown } = decode(defaults, bytes);
    assert.deepEqual(
      $unknown?.map(({ no, data }) => [no, [...data]]),
      [
        [100, [1]],
        [6, [99]],
        [100, [2]],
      ],
    );
    assert.equal(toHex(encode(defaults, decode(defaults, bytes))), "a0060130 63a00602".replace(" ", ""));
  });

  test("says what is wrong with the bytes", () => {
    const cases: [string, RegExp][] = [
      ["0a", /^the bytes end inside a varint$/],
      ["0a05", /^the bytes end inside a field$/],
      ["14", /^a group ends that did not begin/],
      ["0affffffffffffffffffffff", /^a varint has more than ten bytes$/],
      ["07", /^there is no field 0 of wire type 7$/],
      ["ffffffff1f", /^a tag has more than 32 bits$/],
    ];
    for (const [hex, message] of cases) {
      assert.throws(() => decode(sentence, new Uint8Array(Buffer.from(hex, "hex"))), { message }, hex);
    }
  });
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

describe("messageCodec", () => {
  test("is made once for a type", () => {
    assert.equal(messageCodec(SayRequestSchema), messageCodec(SayRequestSchema));
  });

  test("leaves a type with a field that every object has, or that holds such a type, to protobuf-es", () => {
    for (const init of [{ before: 1, inherited: [] }, { inherited: [{ hasOwnProperty: "own" }] }]) {
      const desc = type("corner.v1.HoldsInherited");
      const bytes = encode(desc, init);
      assert.deepEqual(bytes, expected(desc, init));
      assert.deepEqual(decode(desc, bytes), fromBinary(desc, bytes));
    }
  });
});
