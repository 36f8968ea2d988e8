// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { type ConnectionPairOptions, createConnectionPair } from "../../src/testing/connection-pair.js";
import type { Connection } from "../../src/vocabulary/connection.js";

/** What happened at one end. */
interface Seen {
  readonly chunks: Uint8Array[];
  readonly ends: (Error | undefined)[];
  writables: number;
}

interface Ends {
  readonly client: Connection;
  readonly server: Connection;
  readonly atClient: Seen;
  readonly atServer: Seen;
  turn(): void;
}

/** A pair whose ends keep what they receive, in turns of our own. */
function usePair(t: TestContext, options?: ConnectionPairOptions): Ends {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, server } = createConnectionPair(options);
  return { client, server, atClient: receive(client), atServer: receive(server), turn: () => t.mock.timers.tick(1) };
}

function receive(connection: Connection): Seen {
  const seen: Seen = { chunks: [], ends: [], writables: 0 };
  connection.start({
    data: (chunk) => seen.chunks.push(chunk),
    writable: () => seen.writables++,
    end: (reason) => seen.ends.push(reason),
  });
  return seen;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("createConnectionPair", () => {
  test("delivers in both directions, in a later turn", (t) => {
    const { client, server, atClient, atServer, turn } = usePair(t);
    client.write(bytes(1, 2));
    client.write(bytes(3));
    server.write(bytes(4));
    assert.deepEqual([atClient.chunks, atServer.chunks], [[], []]);
    turn();
    assert.deepEqual(atServer.chunks, [bytes(1, 2), bytes(3)]);
    assert.deepEqual(atClient.chunks, [bytes(4)]);
  });

  test("names its ends", () => {
    const { client, server } = createConnectionPair();
    assert.deepEqual([client.peer.address, server.peer.address], ["in-memory server", "in-memory client"]);
  });

  test("keeps what was written before the other end started", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server } = createConnectionPair();
    client.write(bytes(1));
    t.mock.timers.tick(1);
    const seen = receive(server);
    assert.deepEqual(seen.chunks, []);
    t.mock.timers.tick(1);
    assert.deepEqual(seen.chunks, [bytes(1)]);
  });

  test("copies what is written", (t) => {
    const { client, atServer, turn } = usePair(t);
    const written = bytes(1, 2);
    client.write(written);
    written.fill(0);
    turn();
    assert.deepEqual(atServer.chunks, [bytes(1, 2)]);
  });

  test("cuts all writes into chunks of the given size", (t) => {
    const { client, atServer, turn } = usePair(t, { chunkBytes: 2 });
    client.write(bytes(1, 2, 3, 4, 5));
    client.write(bytes(6));
    turn();
    assert.deepEqual(atServer.chunks, [bytes(1, 2), bytes(3, 4), bytes(5), bytes(6)]);
  });

  test("asks the writer to hold back above the mark, and tells it when there is room", (t) => {
    const { client, atClient, turn } = usePair(t, { highWaterBytes: 3 });
    assert.equal(client.write(bytes(1, 2)), true);
    assert.equal(client.write(bytes(3)), false);
    assert.equal(client.write(bytes(4)), false);
    assert.equal(atClient.writables, 0);
    turn();
    assert.equal(atClient.writables, 1);
    assert.equal(client.write(bytes(5)), true);
    turn();
    assert.equal(atClient.writables, 1, "nobody waited");
  });

  test("delivers nothing while it is paused, and holds the writer back", (t) => {
    const { client, server, atClient, atServer, turn } = usePair(t, { highWaterBytes: 2 });
    server.pause();
    assert.equal(client.write(bytes(1, 2)), false);
    turn();
    assert.deepEqual([atServer.chunks, atClient.writables], [[], 0]);
    server.resume();
    turn();
    assert.deepEqual([atServer.chunks, atClient.writables], [[bytes(1, 2)], 1]);
  });

  test("stops between two chunks when the receiver pauses at the first", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server } = createConnectionPair();
    const chunks: Uint8Array[] = [];
    server.start({
      data(chunk) {
        chunks.push(chunk);
        server.pause();
      },
      writable() {},
      end() {},
    });
    client.write(bytes(1));
    client.write(bytes(2));
    t.mock.timers.tick(1);
    assert.deepEqual(chunks, [bytes(1)]);
    server.resume();
    t.mock.timers.tick(1);
    assert.deepEqual(chunks, [bytes(1), bytes(2)]);
  });

  for (const how of ["close", "abort"] as const) {
    test(`ends both ends once, behind what was written, at ${how}`, (t) => {
      const { client, atClient, atServer, turn } = usePair(t);
      client.write(bytes(1));
      client[how]();
      client[how]();
      turn();
      turn();
      assert.deepEqual(atServer.chunks, [bytes(1)]);
      assert.deepEqual([atClient.ends, atServer.ends], [[undefined], [undefined]]);
    });

    test(`loses what is written after ${how}`, (t) => {
      const { client, server, atClient, atServer, turn } = usePair(t);
      client[how]();
      assert.equal(client.write(bytes(1)), true);
      turn();
      assert.equal(server.write(bytes(2)), true);
      turn();
      assert.deepEqual([atClient.chunks, atServer.chunks], [[], []]);
    });
  }

  test("still delivers what is on its way to an end that closes, but not to one that aborts", (t) => {
    const closing = usePair(t);
    closing.server.write(bytes(1));
    closing.client.close();
    closing.turn();
    assert.deepEqual(closing.atClient.chunks, [bytes(1)]);
    t.mock.timers.reset();
    const aborting = usePair(t);
    aborting.server.write(bytes(1));
    aborting.client.abort();
    aborting.turn();
    assert.deepEqual([aborting.atClient.chunks, aborting.atClient.ends], [[], [undefined]]);
  });

  test("delivers the end behind what waits at a paused end", (t) => {
    const { client, server, atServer, turn } = usePair(t);
    server.pause();
    client.write(bytes(1));
    client.close();
    turn();
    assert.deepEqual(atServer.ends, []);
    server.resume();
    turn();
    assert.deepEqual([atServer.chunks, atServer.ends], [[bytes(1)], [undefined]]);
  });

  test("delivers all bytes in order, however they are written and cut", (t) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.integer({ min: 1, max: 7 }), (writes, chunkBytes) => {
        t.mock.timers.reset();
        const { client, atServer, turn } = usePair(t, { chunkBytes, highWaterBytes: 5 });
        for (const [index, each] of writes.entries()) {
          client.write(each);
          if (index % 3 === 0) {
            turn();
          }
        }
        client.close();
        turn();
        assert.deepEqual(Buffer.concat(atServer.chunks), Buffer.concat(writes));
        assert.ok(atServer.chunks.every(({ length }) => length > 0 && length <= chunkBytes));
        assert.equal(atServer.ends.length, 1);
      }),
    );
  });
});
