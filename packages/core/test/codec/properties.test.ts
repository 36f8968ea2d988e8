// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  clone,
  create,
  type DescMessage,
  equals,
  fromBinary,
  isFieldSet,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { toHex } from "@ts-drpc-internal/fixtures";
import { messageTypes } from "@ts-drpc-internal/protobuf-conformance";
import fc from "fast-check";
import { isCovered } from "../../src/codec/coverage.js";
import { messageCodec } from "../../src/codec/message-codec.js";
import { arbitraryInit } from "./arbitrary-init.js";
import { arbitraryWire } from "./arbitrary-wire.js";
import { assertSameMessage } from "./same-message.js";

type Init = MessageInitShape<DescMessage>;

/** Returns a result, or that there is none: the texts of errors are each library's own. */
function outcome<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (reason) {
    assert.ok(reason instanceof Error, `threw ${String(reason)}`);
    return undefined;
  }
}

function assertSameBytes(ours: Uint8Array | undefined, theirs: Uint8Array | undefined): void {
  assert.equal(ours && toHex(ours), theirs && toHex(theirs));
}

const unknownFields = fc.array(
  fc.record({
    no: fc.integer({ min: 1, max: 2 ** 29 - 1 }),
    wireType: fc.integer({ min: 0, max: 5 }),
    data: fc.uint8Array(),
  }),
);

// Types with most fields need most runs.
const numRuns = (desc: DescMessage) => (desc.fields.length > 40 ? 300 : desc.fields.length > 5 ? 150 : 40);

describe("the codec of a message type", () => {
  const covered = messageTypes.filter(isCovered);

  test("covers all types of protobuf's conformance tests", () => {
    const others = messageTypes.filter((desc) => !isCovered(desc)).map(({ typeName }) => typeName);
    assert.deepEqual(others, ["corner.v1.Inherited", "corner.v1.HoldsInherited"]);
    assert.ok(covered.length > 60, `only ${covered.length} types`);
  });

  for (const desc of messageTypes) {
    const codec = messageCodec(desc);

    test(`encodes ${desc.typeName} from an object to the bytes of protobuf-es`, () => {
      fc.assert(
        fc.property(arbitraryInit(desc, 3), (init) => {
          assertSameBytes(
            outcome(() => codec.encode(init as Init)),
            outcome(() => toBinary(desc, create(desc, init as Init))),
          );
        }),
        { numRuns: numRuns(desc) },
      );
    });

    test(`encodes messages of ${desc.typeName} to the bytes of protobuf-es`, () => {
      fc.assert(
        fc.property(arbitraryInit(desc, 3), fc.option(unknownFields, { nil: undefined }), (init, unknown) => {
          const message = create(desc, init as Init);
          if (unknown !== undefined) {
            message.$unknown = unknown;
          }
          const expected = outcome(() => toBinary(desc, message));
          assertSameBytes(
            outcome(() => codec.encode(message)),
            expected,
          );
          assertSameBytes(
            outcome(() => codec.encodeBorrowed(message)),
            expected,
          );
        }),
        { numRuns: numRuns(desc) },
      );
    });

    test(`decodes ${desc.typeName} to the messages of protobuf-es`, () => {
      fc.assert(
        fc.property(arbitraryInit(desc, 3), (init) => {
          const bytes = outcome(() => toBinary(desc, create(desc, init as Init)));
          if (bytes === undefined) {
            // A required field is missing. Bytes without it are taken, and come up below.
            return;
          }
          const ours = codec.decode(bytes);
          const theirs = fromBinary(desc, bytes);
          assertSameMessage(ours, theirs, desc.typeName);
          assertSameUse(desc, ours, theirs);
        }),
        { numRuns: numRuns(desc) },
      );
    });

    test(`takes and refuses the bytes for ${desc.typeName} that protobuf-es takes and refuses`, () => {
      fc.assert(
        fc.property(arbitraryWire(desc, 3), (bytes) => {
          const ours = outcome(() => codec.decode(bytes));
          const theirs = outcome(() => fromBinary(desc, bytes));
          assert.equal(ours !== undefined, theirs !== undefined, theirs === undefined ? "was taken" : "was refused");
          assertSameMessage(ours, theirs, desc.typeName);
          if (ours !== undefined) {
            assertSameBytes(
              outcome(() => codec.encode(ours)),
              outcome(() => toBinary(desc, ours)),
            );
          }
        }),
        { numRuns: 3 * numRuns(desc) },
      );
    });
  }
});

/** What protobuf-es says of its own message and does with it, it says of ours and does with it. */
function assertSameUse(desc: DescMessage, ours: MessageShape<DescMessage>, theirs: Message): void {
  const same = outcome(() => equals(desc, theirs, clone(desc, theirs)));
  assert.equal(
    outcome(() => equals(desc, ours, clone(desc, theirs))),
    same,
  );
  const assertSameOf = (use: (message: Message) => unknown) =>
    assertSameMessage(
      outcome(() => use(ours)),
      outcome(() => use(theirs)),
      desc.typeName,
    );
  assertSameOf((message) => clone(desc, message));
  assertSameOf((message) => toJson(desc, message));
  assertSameOf((message) => desc.fields.map((field) => isFieldSet(message, field)));
}
