// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { Duplex } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import type { Connection } from "@ts-drpc/core";
import { createNodeConnection } from "../src/index.js";

const timeout = 20_000;

describe("a connection over a socket", { timeout }, () => {
  test("names the peer by address and port", async (t) => {
    const { here, there } = await useSockets(t);
    assert.equal(createNodeConnection(here).peer.address, `127.0.0.1:${there.localPort}`);
  });

  test("is told to wait when the peer is slow, and goes on when it reads", async (t) => {
    const { here, there } = await useSockets(t);
    const { connection, ...seen } = receive(here);
    let written = 0;
    while (connection.write(new Uint8Array(65_536))) {
      written++;
    }
    assert.ok(written < 1_000);
    there.resume();
    await seen.writable;
  });

  test("rests for a turn behind 256 KiB, even if everything is taken at once", async () => {
    const { connection, ...seen } = receive(
      new Duplex({
        writableHighWaterMark: 1_000_000,
        read() {},
        write(_chunk, _encoding, taken) {
          taken();
        },
      }),
    );
    let written = 0;
    do {
      written += 10_000;
    } while (connection.write(new Uint8Array(10_000)));
    assert.equal(written, 270_000);
    await seen.writable;
    assert.equal(connection.write(new Uint8Array(10_000)), true);
    connection.abort();
  });

  test("lets others have a turn when what it reads takes long, and then goes on unless it is paused", async () => {
    const chunks = 5;
    const duplex = new Duplex({ readableHighWaterMark: 1_000_000, read() {}, write() {} });
    const connection = createNodeConnection(duplex);
    let turn = 0;
    const readIn: number[] = [];
    connection.start({
      data() {
        readIn.push(turn);
        for (const start = performance.now(); performance.now() - start < 10; ) {
          // As it takes to read the frames of a chunk.
        }
        if (readIn.length === 2) {
          connection.pause();
        }
      },
      writable() {},
      end() {},
    });
    for (let count = 0; count < chunks; count++) {
      duplex.push(new Uint8Array(65_536));
    }
    for (; turn < 10; turn++) {
      await new Promise(setImmediate);
    }
    assert.equal(readIn.length, 2);
    connection.resume();
    for (; readIn.length < chunks; turn++) {
      await new Promise(setImmediate);
    }
    assert.equal(new Set(readIn).size, chunks, `${chunks} chunks were read in the turns ${readIn.join(", ")}`);
    connection.abort();
  });

  test("delivers nothing while it is paused", async (t) => {
    const { here, there } = await useSockets(t);
    const { connection, chunks, firstChunk } = receive(here);
    connection.pause();
    await new Promise((resolve) => there.write("hello", resolve));
    await new Promise(setImmediate);
    assert.deepEqual(chunks, []);
    connection.resume();
    await firstChunk;
    assert.equal(Buffer.concat(chunks).toString(), "hello");
  });

  test("that is closed still sends what was written, to a peer that is slow and goes on sending", async (t) => {
    const { here, there } = await useSockets(t);
    const { connection, ended } = receive(here);
    connection.pause();
    const flood = (): void => {
      while (there.writable && there.write(new Uint8Array(65_536))) {}
    };
    there.on("drain", flood);
    flood();
    const sent = new Uint8Array(1_000_000);
    connection.write(sent);
    connection.close();
    await once(here, "finish");
    let received = 0;
    there.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
    });
    await once(there, "end");
    assert.equal(received, sent.length);
    assert.equal(await ended, undefined);
  });

  test("ends when the peer does, once, and without a reason", async (t) => {
    const { here, there } = await useSockets(t);
    const { ended, ends } = receive(here);
    there.end();
    assert.equal(await ended, undefined);
    await once(here, "close");
    assert.equal(ends.length, 1);
  });

  test("ends with the reason when the peer resets it", async (t) => {
    const { here, there } = await useSockets(t);
    const { ended, ends } = receive(here);
    there.resetAndDestroy();
    assert.match(String(await ended), /was lost: the peer reset the connection \(ECONNRESET\)/);
    await new Promise(setImmediate);
    assert.equal(ends.length, 1);
  });

  test("ends when it is aborted, and says then that it takes no more", async (t) => {
    const { here } = await useSockets(t);
    const { connection, ended } = receive(here);
    connection.abort();
    assert.equal(await ended, undefined);
    assert.equal(connection.write(new Uint8Array(1)), false);
    connection.close();
  });
});

interface Seen {
  readonly connection: Connection;
  readonly chunks: Uint8Array[];
  readonly firstChunk: Promise<void>;
  readonly writable: Promise<void>;
  readonly ends: (Error | undefined)[];
  readonly ended: Promise<Error | undefined>;
}

function receive(socket: Duplex): Seen {
  const connection = createNodeConnection(socket);
  const chunks: Uint8Array[] = [];
  const ends: (Error | undefined)[] = [];
  let [chunkCame, becameWritable] = [(): void => undefined, (): void => undefined];
  let tellEnded: (reason: Error | undefined) => void;
  const firstChunk = new Promise<void>((resolve) => {
    chunkCame = resolve;
  });
  const writable = new Promise<void>((resolve) => {
    becameWritable = resolve;
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    tellEnded = resolve;
  });
  connection.start({
    data: (chunk) => {
      chunks.push(chunk);
      chunkCame();
    },
    writable: () => becameWritable(),
    end: (reason) => {
      ends.push(reason);
      tellEnded(reason);
    },
  });
  return { connection, chunks, firstChunk, writable, ends, ended };
}

/** The two ends of a TCP connection. */
async function useSockets(t: TestContext): Promise<{ here: net.Socket; there: net.Socket }> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const there = net.connect({ host: "127.0.0.1", port: (server.address() as net.AddressInfo).port });
  const [here] = await accepted;
  server.close();
  there.on("error", () => undefined);
  t.after(() => {
    here.destroy();
    there.destroy();
  });
  return { here, there };
}
