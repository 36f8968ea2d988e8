// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@ts-drpc/core";
import { gopeer, type gopeerMessages } from "@ts-drpc-internal/fixtures";
import { decodeCredit, encodeCredit } from "../../src/session/flow-control.js";
import { Kind } from "../../src/wire/kind.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { frame, framesOf, invoke, type RawPeer, serveRawClient, show } from "../raw-peer.js";
import { turn } from "./flow-pair.js";

// The server's option `flowControl`, against a raw client that keeps to the fork's contract.

type Msg = gopeerMessages.Msg;

const flowControl = { windowBytes: 100_000, grantThresholdBytes: 30_000 };

/** A message whose body has this many bytes. */
function body(bytes: number): Uint8Array {
  const { length } = msg({ data: new Uint8Array(bytes) });
  return msg({ data: new Uint8Array(2 * bytes - length) });
}

/** Serves a stream of messages with bodies of these sizes, and requests that are taken when the test says so. */
function serve(sizes: readonly number[] = []): {
  peer: RawPeer;
  take: (count: number) => Promise<void>;
  taken: Msg[];
  events: string[];
} {
  const taken: Msg[] = [];
  const events: string[] = [];
  let requests: AsyncIterator<Msg> | undefined;
  const { peer } = serveRawClient(
    (router) =>
      gopeer.registerEcho(router, {
        unary: (request) => request,
        async *serverStream(_request, { signal }) {
          signal.addEventListener("abort", () => events.push("aborted"));
          try {
            for (const bytes of sizes) {
              events.push(`gives ${bytes}`);
              const { length } = msg({ data: new Uint8Array(bytes) });
              yield { data: new Uint8Array(2 * bytes - length) };
            }
          } finally {
            events.push("over");
          }
        },
        async clientStream(all) {
          requests = all[Symbol.asyncIterator]();
          return new Promise(() => undefined);
        },
      }),
    { flowControl, maxMessageBytes: 1_000_000 },
  );
  return {
    peer,
    taken,
    events,
    async take(count) {
      for (let each = 0; each < count; each++) {
        taken.push((await requests?.next())?.value);
      }
    },
  };
}

async function quiet(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) {
    await turn();
  }
}

const callStream = (peer: RawPeer, stream = 1): void =>
  peer.write(
    invoke(stream, "/gopeer.v1.Echo/ServerStream"),
    frame(Kind.Message, stream, 2, msg({})),
    frame(Kind.CloseSend, stream, 3),
  );
const grant = (stream: number, bytes: number): Uint8Array => frame(Kind.WindowUpdate, stream, 0, encodeCredit(bytes));
const messages = (peer: RawPeer, stream = 1): number[] =>
  peer.frames.filter((each) => each.kind === Kind.Message && each.stream === stream).map(({ data }) => data.length);

test("Sender: stops before a message when there is no credit for it, and goes on when there is (checklist 77)", async () => {
  const { peer } = serve([50_000, 40_000, 20_000, 5_000]);
  callStream(peer);
  await quiet();
  // There the message that does not fit is counted before it waits, here after: it goes when the sum is not negative.
  assert.deepEqual(messages(peer), [50_000, 40_000]);
  peer.write(grant(1, 9_999));
  await quiet();
  assert.deepEqual(messages(peer), [50_000, 40_000]);
  peer.write(grant(1, 1));
  await quiet();
  assert.deepEqual(messages(peer), [50_000, 40_000, 20_000]);
  peer.write(grant(1, 5_000));
  await peer.frame(Kind.CloseSend, 1);
  assert.deepEqual(messages(peer), [50_000, 40_000, 20_000, 5_000]);
});

test("Sender: sends a message that is larger than the window whole, and the next when the debt is repaid (checklist 78)", async () => {
  const { peer } = serve([300_000, 0]);
  callStream(peer);
  await quiet();
  assert.equal(
    messages(peer).reduce((sum, bytes) => sum + bytes, 0),
    300_000,
  );
  const sent = peer.frames.length;
  peer.write(grant(1, 199_999));
  await quiet();
  assert.equal(peer.frames.length, sent);
  peer.write(grant(1, 1));
  await peer.frame(Kind.CloseSend, 1);
});

test("Receiver: grants what was taken, all of it at once when that is the threshold, and never the fork's overhead (checklist 74, checklist 79)", async () => {
  const { peer, take } = serve();
  peer.write(invoke(1, "/gopeer.v1.Echo/ClientStream"));
  for (let message = 2; message < 7; message++) {
    peer.write(frame(Kind.Message, 1, message, body(20_000)));
  }
  await quiet();
  assert.deepEqual(peer.frames, [], "nothing is granted for what only came");
  await take(1);
  await quiet();
  assert.deepEqual(peer.frames, []);
  await take(1);
  await quiet();
  assert.deepEqual(peer.shown(), ["WindowUpdate 1/0 control 3"]);
  assert.equal(Buffer.from(peer.bytes).toString("hex"), "91010003c0b802");
  await take(3);
  await quiet();
  assert.deepEqual(
    peer.frames.map(({ data }) => decodeCredit(data)),
    [40_000, 40_000],
  );
});

test("WindowUpdates that are malformed are dropped (checklist 75)", async () => {
  const { peer } = serve([100_000, 10]);
  callStream(peer);
  await quiet();
  const five = Uint8Array.of(5);
  peer.write(
    frame(Kind.WindowUpdate, 1, 0, five, { control: false }),
    frame(Kind.WindowUpdate, 1, 0, five, { done: false }),
    frame(Kind.WindowUpdate, 0, 0, five),
    frame(Kind.WindowUpdate, 1, 0, Uint8Array.of(0)),
    frame(Kind.WindowUpdate, 1, 0, Uint8Array.of(5, 0)),
    frame(Kind.WindowUpdate, 1, 0),
  );
  await quiet();
  assert.deepEqual(messages(peer).slice(2), []);
  assert.equal(peer.isEnded, false);
  peer.write(grant(1, 10));
  await peer.frame(Kind.CloseSend, 1);
});

test("WindowUpdate between the frames of a packet does not disturb it (checklist 76)", async () => {
  const { peer } = serve();
  const request = msg({ text: "whole" });
  peer.write(
    invoke(1, "/gopeer.v1.Echo/Unary"),
    frame(Kind.Message, 1, 2, request.subarray(0, 3), { done: false }),
    grant(1, 77),
    frame(Kind.Message, 1, 2, request.subarray(3)),
    frame(Kind.CloseSend, 1, 3),
  );
  assert.deepEqual(Buffer.from((await peer.frame(Kind.Message, 1)).data), Buffer.from(request));
});

test("Non-Message kinds are never held back, and other streams have windows of their own (checklist 80)", async () => {
  const { peer, events } = serve([100_000, 10]);
  callStream(peer);
  await quiet();
  assert.deepEqual(events, ["gives 100000", "gives 10"]);
  callStream(peer, 2);
  await quiet();
  assert.equal(
    messages(peer, 2).reduce((sum, bytes) => sum + bytes, 0),
    100_000,
  );
  peer.write(invoke(3, "/gopeer.v1.Echo/Unknown"));
  await peer.frame(Kind.Error, 3);
  peer.write(frame(Kind.Cancel, 1, 4));
  await quiet();
  assert.deepEqual(events.slice(-2), ["aborted", "over"]);
});

for (const [name, end] of [
  ["Cancel", (peer: RawPeer) => peer.write(frame(Kind.Cancel, 1, 4))],
  ["Error", (peer: RawPeer) => peer.write(frame(Kind.Error, 1, 4, "no"))],
  ["Close", (peer: RawPeer) => peer.write(frame(Kind.Close, 1, 4))],
  ["the end of the connection", (peer: RawPeer) => peer.close()],
] as const) {
  test(`A sender that waits for credit is woken by ${name} (checklist 81)`, async () => {
    const { peer, events } = serve([100_000, 10]);
    callStream(peer);
    await quiet();
    assert.deepEqual(events, ["gives 100000", "gives 10"]);
    end(peer);
    await quiet();
    assert.deepEqual(events.slice(2), ["aborted", "over"]);
    peer.write(grant(1, 1_000));
    await quiet();
    assert.equal(
      messages(peer).reduce((sum, bytes) => sum + bytes, 0),
      100_000,
    );
  });
}

test("Option off: no WindowUpdate is ever written, and one that comes is ignored (checklist 82)", async () => {
  const { peer } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
  peer.write(invoke(1, "/gopeer.v1.Echo/ClientStream"), grant(1, 1_000_000), grant(0, 7));
  for (let message = 2; message < 30; message++) {
    peer.write(frame(Kind.Message, 1, message, body(100_000)));
  }
  peer.write(frame(Kind.CloseSend, 1, 30));
  await peer.frame(Kind.CloseSend, 1);
  assert.deepEqual(
    peer.shown().map((shown) => shown.split(" ")[0]),
    ["Message", "CloseSend"],
  );
});

test("Oversized message: the sender fails its call, the receiver sends Error code 8, the connection stays (checklist 83)", async () => {
  const { peer } = serve([1_000_001]);
  callStream(peer);
  const sent = await peer.frame(Kind.Error, 1);
  assert.equal(sent.data[7], Code.ResourceExhausted);
  peer.write(invoke(2, "/gopeer.v1.Echo/Unary"), frame(Kind.Message, 2, 2, new Uint8Array(1_000_001)));
  const received = await peer.frame(Kind.Error, 2);
  assert.equal(received.data[7], Code.ResourceExhausted);
  peer.write(invoke(3, "/gopeer.v1.Echo/Unary"), frame(Kind.Message, 3, 2, msg({})), frame(Kind.CloseSend, 3, 3));
  await peer.frame(Kind.CloseSend, 3);
});

test("a client that announces itself is not answered, as the fork's peers know no Settings", async () => {
  const { peer } = serve();
  peer.write(
    invoke(1, "/gopeer.v1.Echo/Unary", { "ts-drpc": "CAEQAQ" }),
    frame(Kind.Message, 1, 3, msg({})),
    frame(Kind.CloseSend, 1, 4),
  );
  await peer.frame(Kind.CloseSend, 1);
  assert.deepEqual(framesOf(peer.bytes).map(show), ["Message 1/1", "CloseSend 1/2"]);
});
