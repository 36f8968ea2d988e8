// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSessionTransport } from "../../src/rpc/session-transport.js";
import {
  checkFlowControl,
  resolveSessionOptions,
  type SessionLimits,
  type SessionOptions,
  wholeNumber,
} from "../../src/session/session-options.js";

const defaults: SessionLimits = {
  maxMessageBytes: 4_194_304,
  maxSendMessageBytes: 4_194_304,
  maxMetadataBytes: 65_536,
  maxMetadataKeys: 128,
  maxConcurrentStreams: 256,
  windowBytes: 2_097_152,
  maxBufferedBytes: 16_777_216,
  maxUnsentBytes: 262_144,
  invokeTimeoutMs: 10_000,
  messageTimeoutMs: 120_000,
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  stallTimeoutMs: 300_000,
  maxResetsPerSecond: 1_000,
};

describe("resolveSessionOptions", () => {
  test("fills in the documented defaults", () => {
    assert.deepEqual(resolveSessionOptions({}), defaults);
  });

  test("takes an option that is undefined for one that is missing", () => {
    assert.deepEqual(resolveSessionOptions({ windowBytes: undefined }), defaults);
  });

  test("takes each option that is given, and leaves the others", () => {
    for (const name of Object.keys(defaults) as (keyof SessionOptions)[]) {
      const value = name === "maxBufferedBytes" ? 7_000_000 : 7;
      const alike = name === "maxMessageBytes" ? { maxSendMessageBytes: value } : {};
      assert.deepEqual(resolveSessionOptions({ [name]: value }), { ...defaults, ...alike, [name]: value });
    }
  });

  test("makes room for larger messages and windows", () => {
    const { maxBufferedBytes } = resolveSessionOptions({ maxMessageBytes: 64_000_000, windowBytes: 2_000_000 });
    assert.equal(maxBufferedBytes, 132_000_000);
  });

  test("refuses a maxBufferedBytes that a message within the limits would exceed, and names all three", () => {
    assert.throws(() => resolveSessionOptions({ maxBufferedBytes: 6_291_455 }), {
      name: "RangeError",
      message: "maxBufferedBytes must be at least maxMessageBytes and windowBytes together, 6291456, got 6291455",
    });
  });

  test("does not hand out its defaults to be changed", () => {
    const limits: { windowBytes: number } = resolveSessionOptions({}) as never;
    limits.windowBytes = 1;
    assert.deepEqual(resolveSessionOptions({}), defaults);
  });

  test("leaves out what is no option", () => {
    assert.deepEqual(resolveSessionOptions({ other: 1 } as SessionOptions), defaults);
  });

  test("refuses each option that is no whole number above zero, and names it with its value", () => {
    for (const name of Object.keys(defaults)) {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "7", 7n]) {
        assert.throws(() => resolveSessionOptions({ [name]: value }), {
          name: "RangeError",
          message: `${name} must be a whole number from 1 to 2147483647, got ${typeof value === "string" ? `"${value}"` : value}`,
        });
      }
    }
  });
});

describe("checkFlowControl", () => {
  const limits = resolveSessionOptions({});

  test("takes the defaults of the fork, and none", () => {
    const flowControl = { windowBytes: 2_097_152, grantThresholdBytes: 524_288 };
    assert.deepEqual(checkFlowControl(flowControl, limits), flowControl);
    assert.equal(checkFlowControl(undefined, limits), undefined);
  });

  test("refuses a window with which a sender could wait for ever, or that does not fit, and names the options", () => {
    assert.throws(() => checkFlowControl({ windowBytes: 100_000, grantThresholdBytes: 50_000 }, limits), {
      name: "RangeError",
      message: /windowBytes must be at least 65536 above flowControl.grantThresholdBytes, got 100000 and 50000/,
    });
    assert.throws(() => checkFlowControl({ windowBytes: 16_000_000, grantThresholdBytes: 50_000 }, limits), {
      message: /maxBufferedBytes must be at least maxMessageBytes and flowControl.windowBytes together, 20194304, got/,
    });
    assert.throws(() => checkFlowControl({ windowBytes: 0, grantThresholdBytes: 1 }, limits), {
      message: /flowControl.windowBytes must be a whole number from 1 to 2147483647, got 0/,
    });
  });

  test("is for peers that are known to have it", () => {
    const flowControl = { windowBytes: 200_000, grantThresholdBytes: 50_000 };
    const dial = () => Promise.reject(new Error("never dialled"));
    assert.throws(() => createSessionTransport(dial, { flowControl }), {
      name: "RangeError",
      message: `flowControl is for servers that are known to have it, with peer: "multiplexed", got "auto"`,
    });
  });
});

describe("wholeNumber", () => {
  test("accepts the smallest and the largest", () => {
    assert.equal(wholeNumber("drainMs", 1), 1);
    assert.equal(wholeNumber("drainMs", 2 ** 31 - 1), 2_147_483_647);
  });

  test("names the option in what it throws", () => {
    assert.throws(() => wholeNumber("drainMs", -5), {
      message: "drainMs must be a whole number from 1 to 2147483647, got -5",
    });
  });
});
