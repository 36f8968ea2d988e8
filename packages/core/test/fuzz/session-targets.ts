// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { gopeer, type gopeerMessages, hex } from "@ts-drpc-internal/fixtures";
import type { HandlerContext } from "../../src/rpc/handler.js";
import { createRouter } from "../../src/rpc/router.js";
import { serveConnection } from "../../src/rpc/serve-connection.js";
import { createSessionTransport } from "../../src/rpc/session-transport.js";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import type { Stream } from "../../src/session/stream.js";
import type { StreamReceiver } from "../../src/session/stream-host.js";
import { DrpcError } from "../../src/vocabulary/drpc-error.js";
import { encodeBase64 } from "../../src/wire/base64.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeSettings } from "../../src/wire/settings-payload.js";
import { GoldenEcho } from "../golden-echo.js";
import { errorFrame, frame, invoke } from "../raw-peer.js";
import { concat } from "../wire/frames.js";
import { FedConnection, nextTurn } from "./fed-connection.js";
import { Random, seedOf } from "./random.js";
import type { FuzzTarget } from "./target.js";
import { goldenHex, randomCuts } from "./wire-targets.js";

type Msg = MessageShape<typeof gopeerMessages.MsgSchema>;
type MsgInit = MessageInitShape<typeof gopeerMessages.MsgSchema>;

// Small, so that inputs of some hundred bytes reach the limits.
const limits: SessionOptions = {
  maxMessageBytes: 300,
  maxMetadataBytes: 200,
  maxMetadataKeys: 4,
  maxConcurrentStreams: 4,
  windowBytes: 200,
  maxBufferedBytes: 500,
  maxUnsentBytes: 300,
};

const streams = [1, 2, 3, 4];
const settings = encodeSettings({
  version: 1,
  windowBytes: 400,
  maxMessageBytes: 600,
  maxConcurrentStreams: 4,
  connectionWindowBytes: 600,
  compressions: 0,
});

/** Whole sessions, from bytes that come in any pieces until the connection ends. Whatever they are, all comes to an end. */
export const sessionTargets: readonly FuzzTarget[] = [
  { name: "server-session", seeds: serverSeeds, run: serveStreams },
  { name: "server", seeds: serverSeeds, run: serveCalls },
  { name: "client", seeds: clientSeeds, run: makeCalls },
];

function serverSeeds(): Uint8Array[] {
  return [
    ...goldenHex("server_raw.json"),
    ...goldenHex("transcripts.json"),
    // A ts-drpc client: a call that announces, its settings, a grant, and messages.
    concat([
      invoke(1, "/gopeer.v1.Echo/Bidi", { "ts-drpc": encodeBase64(settings, "url"), "drpc-timeout": "1000m" }),
      frame(Kind.Settings, 1, 3, settings),
      frame(Kind.WindowUpdate, 1, 0, hex("c801")),
      frame(Kind.Message, 1, 4, hex("0a0178")),
      invoke(2, "/gopeer.v1.Echo/ServerStream"),
      frame(Kind.Message, 2, 2, hex("0a01781864")),
      frame(Kind.Cancel, 2, 3),
      frame(Kind.CloseSend, 1, 5),
    ]),
    // Four streams that send more than is read, and after they said that they were done.
    concat([
      ...streams.map((id) => invoke(id, "/gopeer.v1.Echo/Bidi")),
      ...[2, 3, 4, 5, 6].flatMap((message) =>
        streams.map((id) => frame(Kind.Message, id, message, new Uint8Array(40))),
      ),
      ...streams.flatMap((id) => [frame(Kind.CloseSend, id, 7), frame(Kind.Message, id, 8, new Uint8Array(40))]),
    ]),
    // More calls than may be, all begun before any is announced in full, and messages in pieces.
    concat([
      ...[...streams, 5, 6].map((id) => frame(Kind.InvokeMetadata, id, 1, hex("0a060a0161120162"))),
      ...[...streams, 5, 6].map((id) => frame(Kind.Invoke, id, 2, "/gopeer.v1.Echo/ClientStream")),
      ...[1, 2, 3].flatMap(() => streams.map((id) => frame(Kind.Message, id, 3, new Uint8Array(90), { done: false }))),
    ]),
  ];
}

function clientSeeds(): Uint8Array[] {
  return [
    ...goldenHex("client_raw.json", "transcripts.json"),
    // A ts-drpc server: its settings, answers, a grant, and every way to end.
    concat([
      frame(Kind.Settings, 1, 1, settings),
      frame(Kind.Message, 1, 2, hex("0a0178")),
      frame(Kind.CloseSend, 1, 3),
      frame(Kind.Message, 2, 1, hex("0a0178")),
      errorFrame(2, 2, 5n, "no"),
      frame(Kind.WindowUpdate, 3, 0, hex("c801")),
      frame(Kind.Close, 3, 1),
      frame(Kind.Message, 4, 1, hex("0a0178")),
      frame(Kind.Cancel, 4, 2),
    ]),
  ];
}

/** Streams that are read at once, late or never, answer, and end, all by chance. */
async function serveStreams(input: Uint8Array): Promise<void> {
  const random = new Random(seedOf(input));
  const slow = random.once(2);
  const connection = new FedConnection(() => !random.once(slow ? 1 : 4));
  // Whoever reads once in so many messages reads hardly ever, or nearly always.
  const readsOnceIn = random.pick([1, 2, 100]);
  const streams = new Set<Stream>();
  const waiting = new Set<Stream>();
  const unread: { readonly stream: Stream; readonly bytes: number }[] = [];
  // What a receiver throws would end the connection, and nobody would hear of it.
  const broken: string[] = [];
  const hold = (holds: boolean, what: string): void => {
    if (!holds) {
      broken.push(what);
    }
  };
  let ended = 0;
  let terminated = 0;
  let opened = 0;
  const receiver = (stream: Stream): StreamReceiver => {
    opened++;
    streams.add(stream);
    let over = false;
    return {
      get wantsMessage() {
        return random.once(2);
      },
      message(body) {
        hold(!over, "a message came behind the end");
        hold(body.length <= (limits.maxMessageBytes as number), "a message is too large");
        if (random.once(readsOnceIn)) {
          stream.consume(body.length);
        } else {
          unread.push({ stream, bytes: body.length });
        }
        if (!stream.terminated && random.once(3)) {
          answerByChance(stream, random, waiting);
        }
      },
      end() {
        hold(!over, "a stream ended twice");
        over = true;
      },
      terminated() {
        hold(over, "a stream was terminated before its end");
        streams.delete(stream);
        terminated++;
        session.release();
      },
    };
  };
  const session: Session = new Session({
    role: "server",
    connection,
    limits: resolveSessionOptions(limits),
    announces: false,
    listener: {
      invoked(invoke) {
        const announcement = invoke.metadata.find(([key]) => key === "ts-drpc")?.[1];
        const stream = session.openAccepted(invoke, receiver);
        if (announcement !== undefined) {
          session.answerAnnouncement(announcement, stream);
        }
      },
      ended: () => {
        ended++;
      },
    },
  });
  await connection.feed(randomCuts(input), () => {
    assert.ok(session.budget.bytes >= 0, `${session.budget.bytes} bytes are said to be buffered`);
    assert.ok(session.budget.bytes <= (limits.maxBufferedBytes as number), `${session.budget.bytes} are buffered`);
    assert.ok(session.acceptedCount <= (limits.maxConcurrentStreams as number), `${session.acceptedCount} calls run`);
    if (random.once(2 * readsOnceIn)) {
      for (const { stream, bytes } of unread.splice(0)) {
        stream.consume(bytes);
      }
    }
  });
  await connection.end(random.once(2) ? new Error("lost") : undefined);
  connection.assertWellFormed();
  assert.deepEqual(broken, []);
  assert.equal(ended, 1, "the session did not end once");
  assert.equal(terminated, opened, "a stream was not terminated");
  assert.equal(session.budget.bytes, 0, "bytes are still counted");
  assert.equal(session.streamCount, 0);
  assert.equal(session.acceptedCount, 0);
}

function answerByChance(stream: Stream, random: Random, waiting: Set<Stream>): void {
  if (waiting.has(stream)) {
    return;
  }
  switch (random.below(6)) {
    case 0:
      stream.closeSend();
      return;
    case 1:
      stream.sendError(new DrpcError("no", 5));
      return;
    case 2:
      stream.close();
      return;
    default:
      try {
        let accepted: Promise<void> | undefined;
        // As long as one message waits, another must not be sent on the stream.
        for (let count = 1 + random.below(4); count > 0 && accepted === undefined && !stream.terminated; count--) {
          accepted = stream.send(new Uint8Array(random.below(350)));
        }
        if (accepted !== undefined) {
          waiting.add(stream);
          accepted.catch(() => undefined).finally(() => waiting.delete(stream));
        }
      } catch (reason) {
        assert.ok(reason instanceof DrpcError, String(reason));
      }
  }
}

/** The golden service, whose handlers are counted. */
class CountedEcho extends GoldenEcho {
  running = 0;

  override serverStream(request: Msg): AsyncGenerator<MsgInit> {
    return this.#counted(super.serverStream(request));
  }

  override block(request: Msg, context: HandlerContext): AsyncGenerator<MsgInit> {
    return this.#counted(super.block(request, context));
  }

  override bidi(requests: AsyncIterable<Msg>): AsyncGenerator<MsgInit> {
    return this.#counted(super.bidi(requests));
  }

  override async clientStream(requests: AsyncIterable<Msg>): Promise<MsgInit> {
    this.running++;
    try {
      return await super.clientStream(requests);
    } finally {
      this.running--;
    }
  }

  async *#counted(messages: AsyncGenerator<MsgInit>): AsyncGenerator<MsgInit> {
    this.running++;
    try {
      yield* messages;
    } finally {
      this.running--;
    }
  }
}

async function serveCalls(input: Uint8Array): Promise<void> {
  const random = new Random(seedOf(input));
  const connection = new FedConnection(() => !random.once(4));
  const router = createRouter();
  const echo = new CountedEcho();
  gopeer.registerEcho(router, echo);
  const errors: unknown[] = [];
  const served = serveConnection(connection, router, { ...limits, onError: (reason) => errors.push(reason) });
  await connection.feed(randomCuts(input), () => undefined);
  await connection.end();
  for (let turn = 0; echo.running > 0 && turn < 50; turn++) {
    await nextTurn();
  }
  assert.equal(echo.running, 0, "a handler has not settled");
  assert.deepEqual(errors, [], "a handler was told of what is no fault of its own");
  connection.assertWellFormed();
  const left = await served.close({ drainMs: 0 });
  assert.deepEqual(left, { drained: 0, aborted: 0 }, "a call has not let go of its place");
}

/** A client with a call of each kind, before anything comes. */
async function makeCalls(input: Uint8Array): Promise<void> {
  const random = new Random(seedOf(input));
  const connections: FedConnection[] = [];
  const transport = createSessionTransport(
    async () => {
      if (connections.length > 0) {
        throw new DrpcError("there is no other connection", 14, { notStarted: true });
      }
      const connection = new FedConnection(() => !random.once(4));
      connections.push(connection);
      return connection;
    },
    { ...limits, maxConnections: 1, peer: random.once(2) ? "auto" : "multiplexed" },
  );
  const echo = gopeer.createEchoClient(transport);
  const calls = [
    echo.unary({ text: "x" }),
    drain(echo.serverStream({ text: "x", n: 3n }), random),
    echo.clientStream(requests(random)),
    drain(echo.bidi(requests(random)), random),
  ];
  const outcomes = Promise.allSettled(calls);
  let settled = false;
  void outcomes.then(() => {
    settled = true;
  });
  await nextTurn();
  const [connection] = connections;
  assert.ok(connection !== undefined);
  await connection.feed(randomCuts(input), () => undefined);
  await connection.end();
  for (let turn = 0; !settled && turn < 50; turn++) {
    await nextTurn();
  }
  assert.ok(settled, "a call has not settled");
  for (const outcome of await outcomes) {
    assert.ok(
      outcome.status === "fulfilled" || outcome.reason instanceof DrpcError,
      "a call failed with another error",
    );
  }
  connection.assertWellFormed();
  await transport.close({ drainMs: 0 });
}

async function* requests(random: Random): AsyncGenerator<{ text: string }> {
  for (let count = random.below(4); count > 0; count--) {
    yield { text: "x".repeat(random.below(300)) };
  }
}

async function drain(messages: AsyncIterable<unknown>, random: Random): Promise<void> {
  for await (const _message of messages) {
    if (random.once(4)) {
      break;
    }
  }
}
