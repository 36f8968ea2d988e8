// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Deadline } from "../../src/rpc/deadline.js";
import { decodeEntries, encodeEntries } from "../../src/rpc/metadata-entries.js";
import { isBinaryKey, Metadata } from "../../src/vocabulary/metadata.js";

const bytes = Uint8Array.of(0xfb, 0xff);

describe("encodeEntries", () => {
  test("makes nothing of nothing", () => {
    assert.deepEqual(encodeEntries(undefined, undefined, true), []);
    assert.deepEqual(encodeEntries(new Metadata(), undefined, false), []);
  });

  test("writes text as it is, and bytes as base64 with padding", () => {
    const metadata = new Metadata({ User: "älice, bob", "trace-bin": bytes, "": "", "none-bin": new Uint8Array(0) });
    const expected = [
      ["User", "älice, bob"],
      ["trace-bin", "+/8="],
      ["", ""],
      ["none-bin", ""],
    ];
    assert.deepEqual(encodeEntries(metadata, undefined, true), expected);
    assert.deepEqual(encodeEntries(metadata, undefined, false), expected);
  });

  test("repeats a key with several values for a peer that takes it so", () => {
    const metadata = new Metadata({ a: ["1", "2"], "b-bin": [bytes, Uint8Array.of(1)], c: "3" });
    assert.deepEqual(encodeEntries(metadata, undefined, true), [
      ["a", "1"],
      ["a", "2"],
      ["b-bin", "+/8="],
      ["b-bin", "AQ=="],
      ["c", "3"],
    ]);
  });

  test("joins the values of a key for a Go peer, which takes one", () => {
    const metadata = new Metadata({ a: ["1", "2"], "b-bin": [bytes, Uint8Array.of(1)], c: "3" });
    assert.deepEqual(encodeEntries(metadata, undefined, false), [
      ["a", "1, 2"],
      ["b-bin", "+/8=,AQ=="],
      ["c", "3"],
    ]);
  });

  test("adds what is left of a deadline, behind the rest", (t) => {
    let now = 0;
    t.mock.method(performance, "now", () => now);
    const deadline = new Deadline(1_500);
    now = 1_000;
    assert.deepEqual(encodeEntries(new Metadata({ a: "1" }), deadline, true), [
      ["a", "1"],
      ["grpc-timeout", "500m"],
    ]);
    assert.deepEqual(encodeEntries(undefined, deadline, false), [["grpc-timeout", "500m"]]);
    now = 2_000;
    assert.deepEqual(encodeEntries(undefined, deadline, false), [["grpc-timeout", "1m"]]);
  });

  test("leaves a timeout alone that the caller set by hand", () => {
    assert.deepEqual(encodeEntries(new Metadata({ "grpc-timeout": "1S" }), new Deadline(500), true), [
      ["grpc-timeout", "1S"],
    ]);
  });
});

describe("decodeEntries", () => {
  test("makes nothing of nothing", () => {
    assert.equal(decodeEntries([]).size, 0);
  });

  test("keeps all values of a key, in order", () => {
    assert.deepEqual(
      [
        ...decodeEntries([
          ["a", "1"],
          ["b", "2"],
          ["a", "3"],
        ]),
      ],
      [
        ["a", "1"],
        ["a", "3"],
        ["b", "2"],
      ],
    );
  });

  test("does not part a text at its commas", () => {
    assert.deepEqual(decodeEntries([["a", "1, 2"]]).getAll("a"), ["1, 2"]);
  });

  test("reads base64 of either alphabet, padded or not, under a key that ends in -bin", () => {
    for (const text of ["+/8=", "+/8", "-_8=", "-_8"]) {
      assert.deepEqual(decodeEntries([["a-bin", text]]).getBinary("a-bin"), bytes);
    }
  });

  test("parts joined bytes at their commas, with or without space around them", () => {
    for (const text of ["+/8=,AQ==", "+/8, AQ", " +/8= ,AQ== "]) {
      assert.deepEqual(decodeEntries([["a-bin", text]]).getAll("a-bin"), [bytes, Uint8Array.of(1)]);
    }
    assert.deepEqual(decodeEntries([["a-bin", ","]]).getAll("a-bin"), [new Uint8Array(0), new Uint8Array(0)]);
  });

  test("takes what is no base64 for the bytes of the text itself, commas and spaces included", () => {
    for (const text of ["h\u00fc!", " h!", "AQ==,h!", "h!, AQ=="]) {
      assert.deepEqual(decodeEntries([["a-bin", text]]).getAll("a-bin"), [new TextEncoder().encode(text)]);
    }
  });

  test("takes any entries without throwing", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "a-bin", "-bin", "__proto__"), fc.string())), (entries) => {
        for (const [key, value] of decodeEntries(entries)) {
          assert.equal(value instanceof Uint8Array, isBinaryKey(key));
        }
      }),
    );
  });
});

describe("metadata that travels", () => {
  const text = fc.tuple(fc.constantFrom("a", "b", "A", ""), fc.string({ unit: "grapheme" }));
  const binary = fc.tuple(fc.constantFrom("a-bin", "-bin"), fc.uint8Array());
  const pairs = fc.array(fc.oneof(text, binary), { maxLength: 8 });

  test("arrives as it was at a peer that takes repeated keys", () => {
    fc.assert(
      fc.property(pairs, (init) => {
        const sent = new Metadata(init);
        assert.deepEqual([...decodeEntries(encodeEntries(sent, undefined, true))], [...sent]);
      }),
    );
  });

  test("arrives at any other with its texts joined, and its bytes as they were", () => {
    fc.assert(
      fc.property(pairs, (init) => {
        const sent = new Metadata(init);
        const entries = encodeEntries(sent, undefined, false);
        assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, "each key comes once");
        const arrived = decodeEntries(entries);
        for (const key of sent.keys()) {
          assert.deepEqual(arrived.getAll(key), isBinaryKey(key) ? sent.getAll(key) : [sent.getAll(key).join(", ")]);
        }
        assert.equal(arrived.size, sent.size);
      }),
    );
  });
});
