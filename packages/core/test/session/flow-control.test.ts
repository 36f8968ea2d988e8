// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import {
  decodeCredit,
  encodeCredit,
  grantThreshold,
  messageOverheadBytes,
  SendCredit,
} from "../../src/session/flow-control.js";
import { ReceiveWindows } from "../../src/session/receive-windows.js";
import { Stream } from "../../src/session/stream.js";
import type { StreamHost } from "../../src/session/stream-host.js";
import { firstByte, maxFrameDataBytes } from "../../src/wire/frame-header.js";
import { Kind } from "../../src/wire/kind.js";
import { WriteBuffer } from "../../src/wire/write-buffer.js";

interface LedgerRecord {
  readonly op: "ledger";
  readonly name: string;
  readonly window: number;
  readonly steps: readonly {
    send?: number;
    grant?: number | string;
    blocks?: boolean;
    unblocks?: boolean;
    credit: number | string;
    error?: string;
  }[];
}
interface EncodeRecord {
  readonly op: "encode";
  readonly stream: string;
  readonly delta: string;
  readonly hex: string;
}
interface GrantsRecord {
  readonly op: "grants";
  readonly threshold: number;
  readonly consume: readonly number[];
  readonly grants: readonly number[];
}

const records = golden<LedgerRecord | EncodeRecord | GrantsRecord>("flow_control.json");

/** How much credit there is, found out by trying on a copy. */
function creditOf(credit: SendCredit, windowBytes: number): number {
  const probe = credit.resize(windowBytes);
  let bytes = 0;
  for (; !probe.covers(0); bytes--) {
    probe.grant(1);
  }
  for (probe.spend(1); probe.covers(0); bytes++) {
    probe.spend(1);
  }
  return bytes;
}

describe("SendCredit against the fork's ledger", () => {
  // There a message waits for its first frame, of at most `split` bytes. Here it waits for the least of its
  // cost, 64 KiB and half of the window, which is as much in these records: their windows are 4, their splits 2.
  // There the bytes are taken before the wait, here after it, so the credit differs while a message waits.
  const elsewhere = new Map([
    ["too large fails at once, credit unchanged", "checkMessageSize refuses the message before credit is asked"],
    ["grant saturates", "at 2^53 - 1 here, at 2^63 - 1 there; tested below"],
  ]);

  for (const { name, window, steps } of records.filter((record) => record.op === "ledger")) {
    if (elsewhere.has(name)) {
      continue;
    }
    test(`keeps the same books: ${name}`, () => {
      const credit = new SendCredit(window);
      let waiting: number | undefined;
      for (const { send, grant, blocks, unblocks, credit: expected } of steps) {
        if (send !== undefined) {
          assert.equal(credit.covers(send), !blocks);
          waiting = blocks ? send : undefined;
          if (!blocks) {
            credit.spend(send);
          }
        } else {
          credit.grant(Number(grant));
          assert.equal(credit.covers(waiting as number), unblocks);
          if (unblocks) {
            credit.spend(waiting as number);
            waiting = undefined;
          }
        }
        assert.equal(creditOf(credit, window) - (waiting ?? 0), expected);
      }
    });
  }

  test("differs only where that is said here", () => {
    const names = records.filter((record) => record.op === "ledger").map(({ name }) => name);
    assert.equal(names.length, 6);
    assert.ok([...elsewhere.keys()].every((name) => names.includes(name)));
  });
});

describe("SendCredit", () => {
  test("lets a message pass that is larger than the window, and then none until the debt is repaid", () => {
    const credit = new SendCredit(100);
    assert.ok(credit.covers(1_000));
    credit.spend(1_000);
    credit.grant(899);
    assert.equal(credit.covers(0), false);
    credit.grant(1);
    assert.ok(credit.covers(0));
    assert.equal(credit.covers(1_000), false);
    credit.grant(50);
    assert.ok(credit.covers(1_000), "half of the window is enough for a large message");
  });

  test("asks a large message for no more than 64 KiB, however large the window", () => {
    const credit = new SendCredit(1_048_576);
    credit.spend(1_048_576 - maxFrameDataBytes);
    assert.ok(credit.covers(4_194_304));
    credit.spend(1);
    assert.equal(credit.covers(4_194_304), false);
    assert.ok(credit.covers(maxFrameDataBytes - 1));
  });

  test("runs out by empty messages too, which each cost their overhead", () => {
    const credit = new SendCredit(1_024);
    let sent = 0;
    for (; credit.covers(messageOverheadBytes); sent++) {
      credit.spend(messageOverheadBytes);
    }
    assert.equal(sent, 1_024 / 64);
  });

  test("keeps to any window that a peer may announce, up to 2^53 - 1", () => {
    for (const windowBytes of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const credit = new SendCredit(windowBytes);
      credit.spend(windowBytes);
      assert.equal(credit.covers(1), false, `all of a window of ${windowBytes} is spent`);
      credit.grant(1);
      assert.ok(credit.covers(1));
    }
  });

  test("lets one message at a time pass through a window of nothing", () => {
    const credit = new SendCredit(0);
    assert.ok(credit.covers(1_000));
    credit.spend(1_000);
    assert.equal(credit.covers(1), false);
  });

  test("saturates, so that no number of grants overflows it", () => {
    const credit = new SendCredit(4);
    for (let times = 0; times < 3; times++) {
      credit.grant(2 ** 64);
    }
    credit.spend(Number.MAX_SAFE_INTEGER);
    assert.equal(creditOf(credit, 4), 0);
  });

  test("keeps what was spent when the window turns out to be another", () => {
    const credit = new SendCredit(0);
    credit.spend(300);
    assert.equal(creditOf(credit.resize(1_000), 1_000), 700);
    assert.equal(creditOf(credit.resize(100), 100), -200);
  });

  test("is the window and all grants, less all that was spent", () => {
    const step = fc.tuple(fc.constantFrom("spend" as const, "grant" as const), fc.nat(200));
    fc.assert(
      fc.property(fc.nat(500), fc.array(step), (windowBytes, steps) => {
        const credit = new SendCredit(windowBytes);
        for (const [what, bytes] of steps) {
          credit[what](bytes);
        }
        const sum = steps.reduce((total, [what, bytes]) => total + (what === "grant" ? bytes : -bytes), windowBytes);
        assert.equal(creditOf(credit, windowBytes), sum);
      }),
    );
  });
});

describe("encodeCredit", () => {
  test("makes the fork's WindowUpdate frames, with message id 0", () => {
    const frames = records.filter((record) => record.op === "encode");
    // These cannot be asked for: this side never grants more than was sent to it.
    const beyond = ["9223372036854775807", "18446744073709551615"];
    assert.deepEqual(
      frames.map(({ delta }) => delta).filter((delta) => !Number.isSafeInteger(Number(delta))),
      beyond,
    );
    for (const { stream, delta, hex: bytes } of frames.filter((record) => !beyond.includes(record.delta))) {
      const buffer = new WriteBuffer();
      const body = encodeCredit(Number(delta));
      buffer.append(firstByte(Kind.WindowUpdate, true, true), Number(stream), 0, body, 0, body.length);
      assert.equal(toHex(buffer.take() as Uint8Array), bytes);
    }
  });

  test("is undone by decodeCredit", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(decodeCredit(encodeCredit(bytes)), bytes)));
  });
});

describe("decodeCredit", () => {
  test("takes a grant above 2^53 for at least as much, which the credit then saturates", () => {
    assert.ok(decodeCredit(hex("ffffffffffffffffff01")) > Number.MAX_SAFE_INTEGER);
  });

  test("gives 0 for what is no varint, and never throws", () => {
    for (const bytes of ["", "80", "0500", "ffffffffffffffffffff", "8080808080808080808000"]) {
      assert.equal(decodeCredit(hex(bytes)), 0, bytes);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 14 }), (body) => assert.ok(decodeCredit(body) >= 0)));
  });
});

describe("grantThreshold", () => {
  test("leaves a sender that waits for a whole frame with enough credit to go on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (windowBytes) => {
        const threshold = grantThreshold(windowBytes);
        assert.ok(Number.isInteger(threshold) && threshold >= 1);
        assert.ok(threshold + 1 > windowBytes / 4, `a window of ${windowBytes} is granted in small change`);
        // All but what is not yet worth a grant has come back. That must let any message go.
        const credit = new SendCredit(windowBytes);
        credit.spend(threshold - 1);
        assert.ok(credit.covers(Number.MAX_SAFE_INTEGER), `a window of ${windowBytes} starves`);
      }),
    );
  });

  test("coalesces grants as the fork does, counting messages with their overhead", () => {
    const [{ threshold, consume, grants }] = records.filter((record) => record.op === "grants") as [GrantsRecord];
    // A message of the record that costs n costs 64 n here, so that its overhead is part of it.
    const windowBytes = 4 * threshold * messageOverheadBytes;
    assert.equal(grantThreshold(windowBytes), threshold * messageOverheadBytes);
    const windows = new ReceiveWindows({
      overheadBytes: messageOverheadBytes,
      initialWindowBytes: windowBytes,
      maxWindowBytes: windowBytes,
      growthBytes: 0,
      connectionWindowBytes: undefined,
      grantThreshold,
    });
    const host = { flow: { windows, repaid() {} }, budget: { add() {} }, consumed() {} };
    const receiver = { wantsMessage: false, message() {}, end() {}, terminated() {} };
    const stream = new Stream(1, "/a.B/C", host as unknown as StreamHost, () => receiver);
    const granted = consume.map((cost) => {
      stream.consume((cost - 1) * messageOverheadBytes);
      return stream.takeGrant();
    });
    assert.deepEqual(
      granted,
      grants.map((grant) => grant * messageOverheadBytes),
    );
  });
});
