// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isBinaryKey, Metadata, type MetadataInit } from "../../src/vocabulary/metadata.js";

const bytes = Uint8Array.of(0, 255);

describe("Metadata", () => {
  test("is made from pairs, an object, or another Metadata", () => {
    const expected = [
      ["a", "1"],
      ["a", "2"],
      ["b-bin", bytes],
    ] as const;
    const inits: MetadataInit[] = [
      expected,
      new Metadata(expected),
      { a: ["1", "2"], "b-bin": bytes },
      { a: ["1", "2"], "b-bin": [bytes] },
    ];
    for (const init of inits) {
      assert.deepEqual([...new Metadata(init)], expected);
    }
    assert.deepEqual([...new Metadata()], []);
  });

  test("does not change when what it was made from does", () => {
    const original = new Metadata({ a: "1" });
    const copy = new Metadata(original);
    original.append("a", "2").set("b", "3");
    assert.deepEqual([...copy], [["a", "1"]]);
  });

  test("compares keys as they are, capitals included", () => {
    const metadata = new Metadata({ Key: "upper", key: "lower" });
    assert.equal(metadata.size, 2);
    assert.equal(metadata.get("Key"), "upper");
    assert.equal(metadata.get("KEY"), undefined);
  });

  test("treats the names of object members as any other key", () => {
    const metadata = new Metadata([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    assert.deepEqual([...metadata.keys()], ["__proto__", "constructor"]);
    assert.equal(new Metadata().get("constructor"), undefined);
    assert.equal(new Metadata().has("__proto__"), false);
  });

  test("gives the first of several values, and all in order", () => {
    const metadata = new Metadata().append("a", "1").append("a", "2");
    assert.equal(metadata.get("a"), "1");
    assert.deepEqual(metadata.getAll("a"), ["1", "2"]);
    assert.deepEqual(metadata.getAll("b"), []);
  });

  test("puts one value in place of all that were there", () => {
    const metadata = new Metadata({ a: ["1", "2"] }).set("a", "3");
    assert.deepEqual(metadata.getAll("a"), ["3"]);
  });

  test("says whether a deleted key was there", () => {
    const metadata = new Metadata({ a: ["1", "2"] });
    assert.equal(metadata.delete("a"), true);
    assert.equal(metadata.delete("a"), false);
    assert.equal(metadata.has("a"), false);
    assert.equal(metadata.size, 0);
  });

  test("keeps text and bytes apart", () => {
    const metadata = new Metadata({ text: "t", "bytes-bin": bytes });
    assert.equal(metadata.getBinary("bytes-bin"), bytes);
    assert.equal(metadata.get("bytes-bin"), undefined);
    assert.equal(metadata.get("text"), "t");
    assert.equal(metadata.getBinary("text"), undefined);
  });

  test("takes an empty text and no bytes for values", () => {
    const metadata = new Metadata({ "": "", "-bin": new Uint8Array(0) });
    assert.equal(metadata.get(""), "");
    assert.equal(metadata.getBinary("-bin")?.length, 0);
  });

  test("refuses values of the wrong type, and names the key", () => {
    const text = { name: "TypeError", message: 'metadata key "a" takes a string, got object' };
    assert.throws(() => new Metadata().set("a", bytes), text);
    assert.throws(() => new Metadata().append("a", bytes), text);
    assert.throws(() => new Metadata({ a: ["1", bytes] }), text);
    assert.throws(() => new Metadata({ "a-bin": "1" }), {
      message: 'metadata key "a-bin" takes a Uint8Array, got string',
    });
    assert.throws(() => new Metadata().set("a", null as never), {
      message: 'metadata key "a" takes a string, got null',
    });
    assert.throws(() => new Metadata({ a: undefined as never }), {
      message: 'metadata key "a" takes a string, got undefined',
    });
    assert.throws(() => new Metadata({ a: 1 as never }), { message: 'metadata key "a" takes a string, got number' });
  });

  test("is as it was when a value is refused", () => {
    const metadata = new Metadata({ a: "1" });
    assert.throws(() => metadata.set("a", bytes));
    assert.throws(() => metadata.append("b", bytes));
    assert.deepEqual([...metadata], [["a", "1"]]);
  });

  test("behaves as a map of lists", () => {
    const key = fc.constantFrom("a", "b", "A", "__proto__");
    const step = fc.tuple(fc.constantFrom("set", "append", "delete"), key, fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const metadata = new Metadata();
        const model = new Map<string, string[]>();
        for (const [name, at, value] of steps) {
          if (name === "delete") {
            assert.equal(metadata.delete(at), model.delete(at));
          } else {
            metadata[name as "set" | "append"](at, value);
            model.set(at, name === "set" ? [value] : [...(model.get(at) ?? []), value]);
          }
        }
        assert.deepEqual(
          [...metadata],
          [...model].flatMap(([at, values]) => values.map((value) => [at, value])),
        );
        assert.deepEqual([...metadata.keys()], [...model.keys()]);
        assert.equal(metadata.size, model.size);
      }),
    );
  });
});

describe("isBinaryKey", () => {
  test("looks at the end of the key, as gRPC does", () => {
    assert.deepEqual(["trace-bin", "-bin", "bin", "trace-BIN", "a-bin-b"].map(isBinaryKey), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
