// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import { decodeSettings, encodeSettings, type Settings, settingsVersion } from "../../src/wire/settings-payload.js";

const defaults: Settings = {
  version: 1,
  windowBytes: 1_048_576,
  maxMessageBytes: 4_194_304,
  maxConcurrentStreams: 256,
  connectionWindowBytes: 12_582_912,
  compressions: 3,
};
const malformed = { name: "ProtocolError", message: "the peer's settings are malformed" };

describe("encodeSettings", () => {
  test("writes a protobuf message of the fields 1 to 6", () => {
    assert.equal(
      toHex(encodeSettings(defaults)),
      "0801" + "10808040" + "1880808002" + "208002" + "2880808006" + "3003",
    );
  });

  test("writes zeros out", () => {
    assert.equal(
      toHex(
        encodeSettings({
          version: 0,
          windowBytes: 0,
          maxMessageBytes: 0,
          maxConcurrentStreams: 0,
          connectionWindowBytes: 0,
          compressions: 0,
        }),
      ),
      "080010001800200028003000",
    );
  });

  test("speaks version 1", () => {
    assert.equal(settingsVersion, 1);
  });
});

describe("decodeSettings", () => {
  test("takes missing fields for 0", () => {
    assert.deepEqual(decodeSettings(hex("1005")), {
      version: 0,
      windowBytes: 5,
      maxMessageBytes: 0,
      maxConcurrentStreams: 0,
      connectionWindowBytes: 0,
      compressions: 0,
    });
    assert.deepEqual(decodeSettings(hex("")), {
      version: 0,
      windowBytes: 0,
      maxMessageBytes: 0,
      maxConcurrentStreams: 0,
      connectionWindowBytes: 0,
      compressions: 0,
    });
  });

  test("takes fields in any order, and the last of those that repeat", () => {
    assert.deepEqual(decodeSettings(hex("20010801" + "2002")), {
      version: 1,
      windowBytes: 0,
      maxMessageBytes: 0,
      maxConcurrentStreams: 2,
      connectionWindowBytes: 0,
      compressions: 0,
    });
  });

  test("skips varint fields that a later version added", () => {
    const later = hex(`3807${toHex(encodeSettings(defaults))}f80305`);
    assert.deepEqual(decodeSettings(later), defaults);
  });

  test("refuses fields that are no varints", () => {
    for (const wireType of [1, 2, 3, 4, 5, 6, 7]) {
      assert.throws(() => decodeSettings(Uint8Array.of((1 << 3) | wireType, 0)), malformed, `wire type ${wireType}`);
    }
  });

  test("refuses a body that ends inside a field", () => {
    for (const bytes of ["08", "0880", "0801" + "10", "88", "0801" + "90"]) {
      assert.throws(() => decodeSettings(hex(bytes)), malformed, bytes);
    }
  });

  test("takes values that are no exact numbers as the largest that is", () => {
    assert.equal(decodeSettings(hex("10ffffffffffffffffff01")).windowBytes, Number.MAX_SAFE_INTEGER);
    assert.throws(() => decodeSettings(hex("10ffffffffffffffffffff")), ProtocolError);
    assert.equal(decodeSettings(hex("10ffffffffffffff0f")).windowBytes, Number.MAX_SAFE_INTEGER);
  });

  test("refuses a field without a number", () => {
    assert.throws(() => decodeSettings(hex("0001")), malformed);
  });

  test("reads back any settings", () => {
    const settings = fc.record(
      {
        version: fc.maxSafeNat(),
        windowBytes: fc.maxSafeNat(),
        maxMessageBytes: fc.maxSafeNat(),
        maxConcurrentStreams: fc.maxSafeNat(),
        connectionWindowBytes: fc.maxSafeNat(),
        compressions: fc.maxSafeNat(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(settings, (expected) => {
        assert.deepEqual(decodeSettings(encodeSettings(expected)), expected);
      }),
    );
  });

  test("throws nothing but a ProtocolError at random bytes, and gives only whole numbers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(8, 16, 24, 32, 40, 48), fc.nat(255)), { maxLength: 16 }),
        (bytes) => {
          try {
            assert.ok(Object.values(decodeSettings(Uint8Array.from(bytes))).every(Number.isSafeInteger));
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error));
          }
        },
      ),
    );
  });
});
