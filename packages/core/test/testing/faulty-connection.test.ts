// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, type Connection, createRouter, createSessionTransport, serveConnection } from "@ts-drpc/core";
import { type ConnectionFaults, createConnectionPair, createFaultyConnection } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import fc from "fast-check";
import { encodeCredit } from "../../src/session/flow-control.js";
import { Kind } from "../../src/wire/kind.js";
import { frame, framesOf, join } from "../raw-peer.js";
import { noTimers } from "../rpc/harness.js";
import { anyFrame, concat, cut, cutSizes, encode } from "../wire/frames.js";

/** What came out of one end of a connection. */
class Seen {
  readonly chunks: Uint8Array[] = [];
  readonly ends: (string | undefined)[] = [];
  writables = 0;
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.start({
      data: (chunk) => this.chunks.push(chunk),
      writable: () => this.writables++,
      end: (reason) => this.ends.push(reason?.message),
    });
  }

  get bytes(): number[] {
    return [...concat(this.chunks)];
  }
}

/** A faulty end, and a good one. */
function pairOf(faults: ConnectionFaults): { faulty: Seen; good: Seen } {
  const { client, server } = createConnectionPair();
  return { faulty: new Seen(createFaultyConnection(client, faults)), good: new Seen(server) };
}

async function until(met: () => boolean): Promise<void> {
  for (let turns = 0; !met(); turns++) {
    assert.ok(turns < 2_000, "nothing happens any more");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function quiet(): Promise<void> {
  for (let turns = 0; turns < 6; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const digits = Uint8Array.from({ length: 10 }, (_, digit) => digit);

describe("createFaultyConnection", () => {
  test("without faults changes nothing", async () => {
    const { faulty, good } = pairOf({});
    assert.equal(faulty.connection.peer.address, "in-memory server");
    assert.equal(faulty.connection.write(digits), true);
    good.connection.write(digits.subarray(3));
    await until(() => faulty.chunks.length > 0 && good.chunks.length > 0);
    assert.deepEqual([faulty.bytes, good.bytes], [[...digits.subarray(3)], [...digits]]);
    assert.equal(faulty.connection.write(new Uint8Array(100_000)), false);
    await until(() => faulty.writables === 1);
    faulty.connection.close();
    await until(() => faulty.ends.length > 0 && good.ends.length > 0);
    assert.deepEqual([faulty.ends, good.ends], [[undefined], [undefined]]);
  });

  test("pieceBytes cuts what goes its way into pieces", async () => {
    const { faulty, good } = pairOf({ sent: { pieceBytes: 4 }, received: { pieceBytes: 1 } });
    faulty.connection.write(digits);
    good.connection.write(digits);
    await until(() => faulty.bytes.length === 10 && good.bytes.length === 10);
    assert.deepEqual(
      good.chunks.map(({ length }) => length),
      [4, 4, 2],
    );
    assert.deepEqual(
      faulty.chunks.map(({ length }) => length),
      Array(10).fill(1),
    );
  });

  for (const direction of ["sent", "received"] as const) {
    test(`cutAfterBytes cuts the connection behind that many bytes that are ${direction}, and they arrive`, async () => {
      const { faulty, good } = pairOf({ [direction]: { cutAfterBytes: 13 } });
      const [from, to] = direction === "sent" ? [faulty, good] : [good, faulty];
      from.connection.write(digits);
      await quiet();
      assert.deepEqual([faulty.ends, good.ends], [[], []]);
      from.connection.write(digits);
      from.connection.write(digits);
      await until(() => faulty.ends.length > 0 && good.ends.length > 0);
      assert.deepEqual(to.bytes, [...digits, 0, 1, 2]);
      assert.deepEqual(faulty.ends, ["it was cut after 13 bytes, as the option cutAfterBytes says"]);
      assert.deepEqual(good.ends, [undefined]);
      await quiet();
      assert.equal(faulty.ends.length, 1, "the end is told once");
      await noTimers();
    });

    test(`stallAfterBytes takes nothing more of what is ${direction}, and the connection stays open`, async () => {
      const { faulty, good } = pairOf({ [direction]: { stallAfterBytes: 13 } });
      const [from, to] = direction === "sent" ? [faulty, good] : [good, faulty];
      from.connection.write(digits);
      from.connection.write(digits);
      await quiet();
      if (direction === "sent") {
        assert.equal(faulty.connection.write(digits), false);
      } else {
        faulty.connection.pause();
        faulty.connection.resume();
        assert.equal(good.connection.write(new Uint8Array(100_000)), false);
      }
      await quiet();
      assert.deepEqual(to.bytes, [...digits, 0, 1, 2]);
      assert.deepEqual([from.writables, from.ends, to.ends], [0, [], []]);
      // The other direction is as ever.
      to.connection.write(digits);
      await until(() => from.bytes.length === 10);
      faulty.connection.abort();
      await until(() => faulty.ends.length > 0 && good.ends.length > 0);
      await noTimers();
    });
  }

  test("latencyMs keeps bytes on their way, in order, and the end behind them", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { faulty, good } = pairOf({ sent: { latencyMs: 50 }, received: { latencyMs: 20, pieceBytes: 5 } });
    faulty.connection.write(digits);
    faulty.connection.write(digits);
    faulty.connection.close();
    t.mock.timers.tick(49);
    assert.deepEqual(good.chunks, []);
    t.mock.timers.tick(2);
    assert.deepEqual(good.bytes, [...digits, ...digits]);
    t.mock.timers.tick(5);
    assert.deepEqual(good.ends, [undefined]);
    t.mock.timers.tick(50);
    assert.deepEqual(faulty.ends, [undefined]);

    const other = pairOf({ received: { latencyMs: 20, pieceBytes: 5 } });
    other.good.connection.write(digits);
    other.good.connection.close();
    t.mock.timers.tick(1);
    t.mock.timers.tick(15);
    assert.deepEqual([other.faulty.bytes, other.faulty.ends], [[], []]);
    t.mock.timers.tick(10);
    assert.deepEqual([other.faulty.bytes, other.faulty.ends], [[...digits], [undefined]]);
  });

  test("latencyMs makes a writer wait that is far ahead, and tells it when it may go on", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { faulty } = pairOf({ sent: { latencyMs: 50 } });
    assert.equal(faulty.connection.write(new Uint8Array(40_000)), true);
    assert.equal(faulty.connection.write(new Uint8Array(40_000)), false);
    t.mock.timers.tick(49);
    assert.equal(faulty.writables, 0);
    t.mock.timers.tick(5);
    assert.equal(faulty.writables, 1);
    faulty.connection.write(digits);
    faulty.connection.abort();
    t.mock.timers.tick(100);
    assert.deepEqual(faulty.ends, [undefined]);
  });

  test("flipEveryBytes flips single bits, the same for the same seed, and leaves the writer's bytes alone", async () => {
    const run = async (seed: number, sizes: readonly number[]): Promise<number[]> => {
      const { faulty, good } = pairOf({ sent: { flipEveryBytes: 100 }, seed });
      const zeros = new Uint8Array(20_000);
      for (const chunk of cut(zeros, sizes)) {
        faulty.connection.write(chunk);
        assert.ok(chunk.every((byte) => byte === 0));
      }
      await until(() => good.bytes.length === zeros.length);
      return good.bytes;
    };
    const first = await run(7, [20_000]);
    assert.deepEqual(await run(7, [999, 1]), first);
    assert.notDeepEqual(await run(8, [20_000]), first);
    const flipped = first.filter((byte) => byte !== 0);
    assert.ok(flipped.length > 100 && flipped.length < 400, `${flipped.length} of 20,000 are flipped`);
    assert.ok(flipped.every((byte) => (byte & (byte - 1)) === 0));
  });

  test("withholdCredit loses WindowUpdate frames, and nothing else, however the bytes are cut", async () => {
    const kinds = anyFrame.map((each) => ({ ...each, kind: each.streamId % 2 === 0 ? Kind.WindowUpdate : each.kind }));
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { maxLength: 8 }), cutSizes, async (frames, sizes) => {
        const { faulty, good } = pairOf({ received: { withholdCredit: true } });
        for (const chunk of cut(concat(frames.map(encode)), sizes)) {
          good.connection.write(chunk);
        }
        good.connection.close();
        await until(() => faulty.ends.length > 0);
        const kept = frames.filter(({ kind }) => kind !== Kind.WindowUpdate);
        assert.deepEqual(faulty.bytes, [...concat(kept.map(encode))]);
      }),
      { numRuns: 30 },
    );
  });

  test("withholdCredit passes what is no DRPC as it is", async () => {
    const { faulty, good } = pairOf({ received: { withholdCredit: true } });
    const grant = frame(Kind.WindowUpdate, 1, 0, encodeCredit(5));
    const garbage = new Uint8Array(30).fill(0xff);
    good.connection.write(join([grant, frame(Kind.CloseSend, 1, 1)]));
    good.connection.write(garbage);
    good.connection.write(grant);
    await until(() => faulty.bytes.length >= 30 + grant.length);
    assert.deepEqual(framesOf(concat(faulty.chunks.slice(0, 1))).length, 1);
    assert.deepEqual(faulty.bytes.slice(4), [...garbage, ...grant]);
  });

  test("refuses wrong options with their name and value", () => {
    const { client } = createConnectionPair();
    for (const [faults, message] of [
      [{ sent: { pieceBytes: 0 } }, "sent.pieceBytes must be a whole number, at least 1, got 0"],
      [{ received: { latencyMs: -1 } }, "received.latencyMs must be a whole number, at least 0, got -1"],
      [{ received: { cutAfterBytes: 1.5 } }, "received.cutAfterBytes must be a whole number, at least 0, got 1.5"],
      [{ sent: { stallAfterBytes: Number.NaN } }, "sent.stallAfterBytes must be a whole number, at least 0, got NaN"],
      [{ sent: { flipEveryBytes: 0 } }, "sent.flipEveryBytes must be a whole number, at least 1, got 0"],
      [{ seed: 0.5 }, `seed must be a whole number, at least ${Number.MIN_SAFE_INTEGER}, got 0.5`],
    ] as const) {
      assert.throws(() => createFaultyConnection(client, faults), { name: "RangeError", message });
    }
  });
});

/** A client of ours over a faulty connection to a server of ours. */
function echo(faults: ConnectionFaults): { client: EchoServiceClient; close: () => Promise<void> } {
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  const transport = createSessionTransport(async () => {
    const { client, server } = createConnectionPair();
    serveConnection(server, router);
    return createFaultyConnection(client, faults);
  });
  return { client: createEchoServiceClient(transport), close: () => transport.close({ drainMs: 0 }) };
}

describe("calls over a faulty connection", () => {
  test("get their answers byte by byte, and late", async () => {
    const { client, close } = echo({
      sent: { pieceBytes: 1, latencyMs: 5 },
      received: { pieceBytes: 1, latencyMs: 5 },
    });
    assert.equal((await client.say({ sentence: "slow" })).sentence, "slow");
    let count = 0;
    for await (const { attachment } of client.repeat({ times: 3, attachment: new Uint8Array(2_000) })) {
      count += attachment.length;
    }
    assert.equal(count, 6_000);
    await close();
  });

  test("fail with Unavailable when it is cut, and dial again", async () => {
    const { client, close } = echo({ received: { cutAfterBytes: 5_000 } });
    await assert.rejects(client.say({ attachment: new Uint8Array(10_000) }), {
      code: Code.Unavailable,
      rawMessage: /the connection to in-memory server was lost: it was cut after 5000 bytes/,
    });
    assert.equal((await client.say({ sentence: "again" })).sentence, "again");
    await close();
  });

  test("wait for ever on a peer that takes nothing, up to their deadline", async () => {
    const { client, close } = echo({ sent: { stallAfterBytes: 0 } });
    await assert.rejects(client.say({}, { timeoutMs: 50 }), { code: Code.DeadlineExceeded });
    await close();
  });

  test("wait for credit that is withheld, up to their deadline", async () => {
    const { client, close } = echo({ received: { withholdCredit: true } });
    await client.say({ sentence: "warm" });
    let given = 0;
    const requests = (async function* () {
      for (;;) {
        given++;
        yield { attachment: new Uint8Array(10_000) };
      }
    })();
    await assert.rejects(client.join(requests, { timeoutMs: 200 }), { code: Code.DeadlineExceeded });
    assert.ok(given < 10, `${given} messages were sent without credit`);
    await close();
  });
});
