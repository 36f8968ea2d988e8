// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type FlowContract, forkContract, tsDrpcContract } from "../../src/session/flow-contract.js";
import { grantThreshold, messageOverheadBytes, SendCredit } from "../../src/session/flow-control.js";
import { ReceiveWindows } from "../../src/session/receive-windows.js";
import { resolveSessionOptions } from "../../src/session/session-options.js";
import { StreamWindow } from "../../src/session/stream-window.js";

const contract: FlowContract = {
  overheadBytes: messageOverheadBytes,
  initialWindowBytes: 1_000,
  maxWindowBytes: 8_000,
  growthBytes: 10_000,
  connectionWindowBytes: 20_000,
  grantThreshold,
};

/** Consumes an amount, the overhead of the message included, and returns what is granted for it. */
function consume(window: StreamWindow, cost: number): number {
  window.consume(cost - messageOverheadBytes);
  return window.takeGrant();
}

describe("StreamWindow", () => {
  test("grants what was consumed in steps of a quarter", () => {
    const window = new StreamWindow(new ReceiveWindows(contract));
    assert.deepEqual([consume(window, 100), consume(window, 149), consume(window, 100)], [0, 0, 349]);
    assert.equal(window.takeGrant(), 0);
  });

  test("doubles when its reader has consumed all of it, up to maxWindowBytes", () => {
    const window = new StreamWindow(new ReceiveWindows(contract));
    assert.equal(consume(window, 1_000), 1_000 + 1_000);
    assert.equal(consume(window, 1_000), 1_000, "half of the window of 2,000");
    assert.equal(consume(window, 1_000), 1_000 + 2_000);
    assert.equal(consume(window, 4_000), 4_000 + 4_000);
    assert.equal(consume(window, 100_000), 100_000, "it is as large as it may become");
  });

  test("grows only as far as the growth of all streams lasts, which an end gives back once", () => {
    const windows = new ReceiveWindows(contract);
    const one = new StreamWindow(windows);
    const other = new StreamWindow(windows);
    for (const cost of [1_000, 2_000, 4_000]) {
      consume(one, cost);
    }
    // 7,000 of 10,000 are given to the first.
    assert.equal(consume(other, 1_000), 2_000);
    assert.equal(consume(other, 2_000), 4_000);
    assert.equal(consume(other, 4_000), 4_000, "no growth is left");
    one.end();
    assert.equal(consume(other, 4_000), 8_000);
    other.end();
    assert.equal(windows.grow(4_000), 4_000);
    assert.equal(windows.grow(4_000), 4_000);
    assert.equal(windows.grow(4_000), 2_000, "10,000 in all, as in the beginning");
    assert.equal(windows.grow(4_000), 0);
  });

  test("never takes more growth than there is, and gives back exactly that, whatever streams do", () => {
    const step = fc.record({ stream: fc.nat(5), cost: fc.integer({ min: 64, max: 5_000 }), ends: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const windows = new ReceiveWindows(contract);
        const streams = new Map<number, { window: StreamWindow; consumed: number; granted: number }>();
        const grown = (): number => [...streams.values()].reduce((sum, each) => sum + each.granted - each.consumed, 0);
        for (const { stream, cost, ends } of steps) {
          const each = streams.get(stream) ?? { window: new StreamWindow(windows), consumed: 0, granted: 0 };
          streams.set(stream, each);
          each.granted += consume(each.window, cost);
          each.consumed += cost;
          assert.ok(grown() <= contract.growthBytes);
          if (ends) {
            each.window.end();
            streams.delete(stream);
          }
        }
        for (const { window } of streams.values()) {
          window.end();
        }
        let left = 0;
        for (let more = windows.grow(100); more > 0; more = windows.grow(100)) {
          left += more;
        }
        assert.equal(left, contract.growthBytes);
      }),
      { numRuns: 30 },
    );
  });

  test("lets no sender starve: when all that came was consumed, it may send any message", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_000_000 }),
        fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 40 }),
        (initialWindowBytes, sizes) => {
          const window = new StreamWindow(new ReceiveWindows({ ...contract, initialWindowBytes }));
          const credit = new SendCredit(initialWindowBytes);
          for (const bytes of sizes) {
            assert.ok(credit.covers(bytes + messageOverheadBytes));
            credit.spend(bytes + messageOverheadBytes);
            window.consume(bytes);
            credit.grant(window.takeGrant());
          }
        },
      ),
    );
  });
});

describe("ReceiveWindows", () => {
  test("returns for the connection what came and is no longer held, when it is worth a frame", () => {
    const windows = new ReceiveWindows(contract);
    windows.received(10_000, false);
    windows.received(5_000, true);
    assert.equal(windows.takeGrant(15_064), 0, "all of it is held");
    assert.equal(windows.takeGrant(12_565), 0, "2,499 are not an eighth of 20,000");
    assert.equal(windows.takeGrant(10_064), 5_000);
    assert.equal(windows.takeGrant(10_064), 0);
    assert.equal(windows.takeGrant(0), 10_064);
  });

  test("returns nothing while more is held than came, as by metadata, and makes up for it", () => {
    const windows = new ReceiveWindows(contract);
    windows.received(6_000, true);
    assert.equal(windows.takeGrant(60_000), 0);
    assert.equal(windows.takeGrant(0), 6_064);
  });

  test("returns nothing at all if only streams have windows", () => {
    const windows = new ReceiveWindows({ ...contract, connectionWindowBytes: undefined });
    windows.received(1_000_000, true);
    assert.equal(windows.takeGrant(0), 0);
  });
});

describe("the contract of ts-drpc peers", () => {
  test("shares a third of the connection's window evenly, and leaves a quarter for growth", () => {
    const limits = resolveSessionOptions({});
    const { initialWindowBytes, maxWindowBytes, growthBytes, connectionWindowBytes, overheadBytes } =
      tsDrpcContract(limits);
    assert.deepEqual(
      { initialWindowBytes, maxWindowBytes, growthBytes, connectionWindowBytes, overheadBytes },
      {
        initialWindowBytes: 16_384,
        maxWindowBytes: 2_097_152,
        growthBytes: 3_145_728,
        connectionWindowBytes: 12_517_312,
        overheadBytes: 64,
      },
    );
    assert.equal(initialWindowBytes * limits.maxConcurrentStreams, (12 * 1024 * 1024) / 3);
  });

  test("begins with 4 KiB at least, and with windowBytes at most", () => {
    assert.equal(tsDrpcContract(resolveSessionOptions({ maxConcurrentStreams: 100_000 })).initialWindowBytes, 4_096);
    assert.equal(tsDrpcContract(resolveSessionOptions({ windowBytes: 1_000 })).initialWindowBytes, 1_000);
    assert.equal(tsDrpcContract(resolveSessionOptions({ maxConcurrentStreams: 1 })).initialWindowBytes, 2_097_152);
  });

  test("leaves room for a message of the largest size, which is lent", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000_000 }),
        fc.integer({ min: messageOverheadBytes + 1, max: 100_000_000 }),
        fc.nat(100_000_000),
        (maxMessageBytes, windowBytes, more) => {
          const maxBufferedBytes = maxMessageBytes + windowBytes + more;
          const limits = resolveSessionOptions({ maxMessageBytes, windowBytes, maxBufferedBytes });
          const connectionWindowBytes = tsDrpcContract(limits).connectionWindowBytes as number;
          assert.ok(connectionWindowBytes >= 1, "0 would say that there is no limit");
          assert.ok(connectionWindowBytes + maxMessageBytes + messageOverheadBytes <= maxBufferedBytes);
        },
      ),
    );
  });
});

test("the contract of the fork counts bytes alone, in windows that stay as they are", () => {
  const { grantThreshold: threshold, ...rest } = forkContract({ windowBytes: 2_097_152, grantThresholdBytes: 524_288 });
  assert.deepEqual(rest, {
    overheadBytes: 0,
    initialWindowBytes: 2_097_152,
    maxWindowBytes: 2_097_152,
    growthBytes: 0,
    connectionWindowBytes: undefined,
  });
  assert.equal(threshold(2_097_152), 524_288);
});
