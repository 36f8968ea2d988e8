// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createRouter, DrpcError, type HandlerContext, type ServeOptions, serveConnection } from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { golden, gopeer, hex, toHex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { errorFrame, frame, invoke, join, RawPeer, serveRawClient, type WireFrame } from "../raw-peer.js";

const echo = (name: string): string => `/gopeer.v1.Echo/${name}`;

function serve(
  handler: Partial<gopeer.EchoHandler> = new GoldenEcho(),
  options: ServeOptions = {},
): ReturnType<typeof serveRawClient> {
  return serveRawClient((router) => gopeer.registerEcho(router, handler), { onError() {}, ...options });
}

/** Makes a unary call on the connection to show that it is usable, and that all that was answered before it has come. */
async function probe(peer: RawPeer, stream: number): Promise<void> {
  peer.write(invoke(stream, echo("Identity")), frame(Kind.Message, stream, 2), frame(Kind.CloseSend, stream, 3));
  await peer.frame(Kind.CloseSend, stream);
}

function errorText({ data }: WireFrame): string {
  return `${data[7]} ${Buffer.from(data.subarray(8)).toString()}`;
}

test("Accepts a first stream id > 1 and a first message id > 1 (checklist 52)", async () => {
  const { peer } = serve();
  peer.write(frame(Kind.Invoke, 70_000, 9, echo("Unary")), frame(Kind.Message, 70_000, 12, msg({ n: 1n })));
  assert.equal(toHex((await peer.frame(Kind.Message, 70_000)).data), toHex(msg({ n: 2n })));
});

test("Unknown rpc: Error code 0 with Go's text, the connection lives (checklist 53)", async () => {
  const { peer } = serve();
  peer.write(invoke(1, "/gopeer.v1.Echo/Nope"), frame(Kind.Message, 1, 2, "x"), frame(Kind.CloseSend, 1, 3));
  assert.equal(errorText(await peer.frame(Kind.Error, 1)), '0 protocol error: unknown rpc: "/gopeer.v1.Echo/Nope"');
  await probe(peer, 2);
  assert.deepEqual(peer.shown(1), ["Error 1/1 59"]);
});

test("Unary without message: Error, the connection lives (checklist 54)", async () => {
  const { peer } = serve();
  peer.write(invoke(1, echo("Unary")), frame(Kind.CloseSend, 1, 2));
  assert.equal(
    errorText(await peer.frame(Kind.Error, 1)),
    "12 /gopeer.v1.Echo/Unary: the call ended without its request",
  );
  await probe(peer, 2);
});

test("Undecodable message: Error, the connection lives, and the handler is not called (checklist 55)", async () => {
  const { peer } = serve({ ...new GoldenEcho(), identity: (request) => request, unary: () => assert.fail() });
  peer.write(
    invoke(1, echo("Unary")),
    frame(Kind.Message, 1, 2, Uint8Array.of(0xff, 0xff, 0xff)),
    frame(Kind.CloseSend, 1, 3),
  );
  assert.match(
    errorText(await peer.frame(Kind.Error, 1)),
    /^13 \/gopeer.v1.Echo\/Unary: the request could not be decoded/,
  );
  await probe(peer, 2);
});

test("Handler error with code: Error with the 8-byte code; without: code 0 (checklist 56)", async () => {
  const { peer } = serve();
  for (const [stream, n, code] of [
    [1, 5n, 5n],
    [2, 0n, 0n],
    [3, -1n, 0xffff_ffff_ffff_ffffn],
  ] as const) {
    peer.write(
      invoke(stream, echo("Fail")),
      frame(Kind.Message, stream, 2, msg({ n, text: "no" })),
      frame(Kind.CloseSend, stream, 3),
    );
    const { data } = await peer.frame(Kind.Error, stream);
    assert.equal(Buffer.from(data).readBigUInt64BE(), code);
    assert.equal(Buffer.from(data.subarray(8)).toString(), "no");
  }
});

test("Handler success: Message and CloseSend for unary, CloseSend for a stream (checklist 57)", async () => {
  const { peer } = serve();
  peer.write(invoke(1, echo("Unary")), frame(Kind.Message, 1, 2), frame(Kind.CloseSend, 1, 3));
  peer.write(invoke(2, echo("Early")), frame(Kind.CloseSend, 2, 2));
  await peer.frame(Kind.CloseSend, 1);
  await peer.frame(Kind.CloseSend, 2);
  assert.deepEqual(peer.shown(1), ["Message 1/1 2", "CloseSend 1/2"]);
  assert.deepEqual(peer.shown(2), ["CloseSend 2/1"]);
});

for (const [name, end] of [
  ["Cancel", frame(Kind.Cancel, 1, 3)],
  ["Cancel without control flag", frame(Kind.Cancel, 1, 3, "", { control: false })],
  ["Close", frame(Kind.Close, 1, 3)],
  ["Error", errorFrame(1, 3, 0n, "client failed")],
] as const) {
  test(`Nothing is written on a stream after its ${name} was received, and the handler's signal aborts (checklist 58, checklist 59)`, async () => {
    let signal: AbortSignal | undefined;
    let release = (): void => undefined;
    const { peer } = serve({
      identity: (request) => request,
      async *bidi(_requests, context) {
        signal = context.signal;
        yield { text: "first" };
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        yield { text: "too late" };
      },
    });
    peer.write(invoke(1, echo("Bidi")));
    await peer.frame(Kind.Message, 1);
    const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    peer.write(end);
    await aborted;
    assert.ok(signal?.reason instanceof DrpcError);
    release();
    await probe(peer, 2);
    assert.deepEqual(peer.shown(1), ["Message 1/1 7"]);
  });

  test(`a unary call that gets ${name} instead of its request is answered with nothing (checklist 58)`, async () => {
    const { peer } = serve();
    peer.write(invoke(1, echo("Unary")), end);
    await probe(peer, 2);
    assert.deepEqual(peer.shown(1), []);
  });
}

test("A second Invoke on an active stream ends the connection (checklist 60)", async () => {
  for (const kind of [Kind.Invoke, Kind.InvokeMetadata]) {
    const { peer, served } = serve();
    peer.write(invoke(1, echo("Bidi")), frame(kind, 1, 2));
    const reason = await served.closed;
    assert.match(
      reason?.message ?? "",
      /protocol error: stream 1: Invoke(Metadata)? came on a stream that is already open/,
    );
    await peer.ended;
  }
});

interface MetadataRecord {
  readonly op: "encode" | "decode";
  readonly hex: string;
  readonly name: string;
  readonly error: string;
  readonly entries: readonly (readonly [string, string])[];
}

for (const record of golden<MetadataRecord>("metadata.json").filter(({ op }) => op === "decode")) {
  test(`Metadata "${record.name}" decodes as in Go, and bad metadata ends the connection (checklist 61)`, async () => {
    let seen: HandlerContext["metadata"] | undefined;
    const { peer, served } = serve({
      identity: (request, { metadata }) => {
        seen = metadata;
        return request;
      },
    });
    peer.write(
      frame(Kind.InvokeMetadata, 1, 1, hex(record.hex)),
      frame(Kind.Invoke, 1, 2, echo("Identity")),
      frame(Kind.Message, 1, 3),
    );
    if (record.error !== "") {
      assert.match((await served.closed)?.message ?? "", /protocol error/);
      return;
    }
    await peer.frame(Kind.CloseSend, 1);
    // Of a key that comes twice the last counts in Go; here it has both values.
    const last = [...(seen?.keys() ?? [])].map((key) => [key, seen?.getAll(key).at(-1)]);
    assert.deepEqual(last.sort(), record.entries);
  });
}

test("Rpc name in several frames works, each fragment alone (checklist 62)", async () => {
  const { peer } = serve();
  const name = echo("Unary");
  const parts = Array.from(name, (character, index) =>
    frame(Kind.Invoke, 1, 1, character, { done: index === name.length - 1 }),
  );
  peer.write(...parts, frame(Kind.Message, 1, 2));
  await peer.frame(Kind.Message, 1);
});

test("Invoke of a higher stream id while one is active: served concurrently, packets interleaved (checklist 63)", async () => {
  const { peer } = serve();
  const [one, two] = [msg({ text: "one" }), msg({ text: "two" })];
  peer.write(invoke(3, echo("Bidi")), invoke(1, echo("Bidi")));
  peer.write(
    frame(Kind.Message, 3, 2, one.subarray(0, 2), { done: false }),
    frame(Kind.Message, 1, 2, two.subarray(0, 1), { done: false }),
  );
  peer.write(frame(Kind.Message, 3, 2, one.subarray(2)), frame(Kind.Message, 1, 2, two.subarray(1)));
  assert.equal(toHex((await peer.frame(Kind.Message, 3)).data), toHex(msg({ text: "echo:one" })));
  assert.equal(toHex((await peer.frame(Kind.Message, 1)).data), toHex(msg({ text: "echo:two" })));
});

test("Surplus messages, and messages after CloseSend, are dropped; the next rpc works (checklist 64)", async () => {
  const { peer } = serve();
  peer.write(
    invoke(1, echo("Unary")),
    frame(Kind.Message, 1, 2),
    frame(Kind.Message, 1, 3),
    frame(Kind.CloseSend, 1, 4),
  );
  peer.write(
    invoke(2, echo("Bidi")),
    frame(Kind.CloseSend, 2, 2),
    frame(Kind.Message, 2, 3),
    frame(Kind.CloseSend, 2, 4),
  );
  await peer.frame(Kind.CloseSend, 2);
  await probe(peer, 3);
  assert.deepEqual(peer.shown().slice(0, -2), ["Message 1/1 2", "CloseSend 1/2", "CloseSend 2/1"]);
});

test("A handler that returns success without reading: the next rpc works (checklist 65)", async () => {
  const { peer } = serve();
  for (let stream = 1; stream <= 300; stream++) {
    peer.write(invoke(stream, echo("Early")), frame(Kind.Message, stream, 2, new Uint8Array(1_000)));
    await peer.frame(Kind.CloseSend, stream);
    peer.write(frame(Kind.Message, stream, 3, new Uint8Array(100_000)), frame(Kind.CloseSend, stream, 4));
  }
  await probe(peer, 301);
});

test("Frames for unknown streams other than Invoke and InvokeMetadata do no harm (checklist 66)", async () => {
  const { peer } = serve();
  for (const kind of [
    Kind.Message,
    Kind.Error,
    Kind.Cancel,
    Kind.Close,
    Kind.CloseSend,
    Kind.WindowUpdate,
    Kind.Settings,
  ]) {
    peer.write(frame(kind, 5, 1, "x"));
  }
  await probe(peer, 6);
  await probe(peer, 5);
  assert.equal(peer.frames.length, 4);
});

test("Unknown control kinds are ignored on active, finished and unknown streams; others are fatal (checklist 67)", async () => {
  const { peer, served } = serve();
  peer.write(invoke(1, echo("Bidi")));
  await probe(peer, 2);
  for (const [index, kind] of [0, 9, 20, 63].entries()) {
    for (const stream of [0, 1, 2, 3]) {
      peer.write(frame(kind, stream, 5 + index, "x", { control: true }));
    }
  }
  peer.write(frame(9, 2, 9, "x"));
  await probe(peer, 4);
  peer.write(frame(9, 1, 9, "x"));
  assert.match(
    (await served.closed)?.message ?? "",
    /protocol error: stream 1: a packet of unknown kind 9 came without the control flag/,
  );
});

test("Slow handler: the connection is paused, and memory is bounded (checklist 68)", async () => {
  let proceed = (): void => undefined;
  const router = createRouter();
  gopeer.registerEcho(router, {
    async clientStream(requests) {
      await new Promise<void>((resolve) => {
        proceed = resolve;
      });
      let taken = 0;
      for await (const { data } of requests) {
        taken += data.length;
      }
      return { n: BigInt(taken) };
    },
  });
  const { client, server } = createConnectionPair();
  let delivered = 0;
  serveConnection(
    {
      peer: server.peer,
      start: (receiver) =>
        server.start({
          ...receiver,
          data(chunk) {
            delivered += chunk.length;
            receiver.data(chunk);
          },
        }),
      write: (bytes) => server.write(bytes),
      pause: () => server.pause(),
      resume: () => server.resume(),
      close: () => server.close(),
      abort: () => server.abort(),
    },
    router,
    { windowBytes: 1_000_000 },
  );
  const peer = new RawPeer(client);
  peer.write(invoke(1, echo("ClientStream")));
  for (let message = 2; message < 102; message++) {
    peer.write(frame(Kind.Message, 1, message, msg({ data: new Uint8Array(100_000) })));
  }
  peer.write(frame(Kind.CloseSend, 1, 102));
  const before = await new Promise((resolve) => setTimeout(() => setImmediate(() => resolve(delivered)), 0));
  assert.ok(Number(before) > 1_000_000 && Number(before) < 1_300_000, `${before} bytes were read`);
  proceed();
  assert.equal(toHex((await peer.frame(Kind.Message, 1)).data), toHex(msg({ n: 10_000_000n })));
});

test("Connection end aborts all handlers (checklist 69)", async () => {
  const signals: AbortSignal[] = [];
  const { peer, served } = serve({
    async *block(_request, { signal }) {
      signals.push(signal);
      yield {};
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  });
  for (const stream of [1, 2, 3]) {
    peer.write(invoke(stream, echo("Block")), frame(Kind.Message, stream, 2));
    await peer.frame(Kind.Message, stream);
  }
  const aborted = Promise.all(
    signals.map((signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))),
  );
  peer.close();
  await aborted;
  assert.equal((await served.closed)?.code, Code.Unavailable);
  assert.ok(signals.every(({ reason }) => reason instanceof DrpcError && reason.code === Code.Unavailable));
});

test("MaxStreams: the extra stream gets Error message id 1, others go on (checklist 88)", async () => {
  const { peer } = serve(new GoldenEcho(), { maxConcurrentStreams: 2 });
  peer.write(invoke(1, echo("Bidi")), invoke(2, echo("Bidi")), invoke(3, echo("Bidi"), { a: "b" }));
  peer.write(frame(Kind.Message, 3, 3, "late"), frame(Kind.CloseSend, 3, 4));
  assert.equal(
    errorText(await peer.frame(Kind.Error, 3)),
    "8 too many concurrent streams: the limit maxConcurrentStreams is 2: raise it on the server, or make fewer calls at once",
  );
  peer.write(frame(Kind.Message, 1, 2, msg({ text: "a" })), frame(Kind.CloseSend, 1, 3));
  await peer.frame(Kind.CloseSend, 1);
  await probe(peer, 4);
  assert.deepEqual(
    peer.shown(3).map((shown) => shown.slice(0, 9)),
    ["Error 3/1"],
  );
});

test("bytes of an Invoke may come one at a time, with those of other streams between its frames", async () => {
  const { peer } = serve();
  const bytes = join([
    frame(Kind.InvokeMetadata, 1, 1, hex("0a060a01"), { done: false }),
    frame(Kind.InvokeMetadata, 2, 1, hex("0a060a01"), { done: false }),
    frame(Kind.InvokeMetadata, 1, 1, hex("61120131")),
    frame(Kind.InvokeMetadata, 2, 1, hex("62120132")),
    frame(Kind.Invoke, 2, 2, echo("Metadata")),
    frame(Kind.Invoke, 1, 2, echo("Metadata")),
    frame(Kind.Message, 1, 3),
    frame(Kind.Message, 2, 3),
  ]);
  peer.write(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assert.equal(toHex((await peer.frame(Kind.Message, 1)).data), toHex(msg({ text: "a=1;", n: 1n })));
  assert.equal(toHex((await peer.frame(Kind.Message, 2)).data), toHex(msg({ text: "b=2;", n: 1n })));
});
