// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, type DrpcError, DrpcError as Failure } from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions } from "../../src/session/session-options.js";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { encodeBase64 } from "../../src/wire/base64.js";
import { encodeErrorPayload } from "../../src/wire/error-payload.js";
import { decodeGoingAway, encodeGoingAway } from "../../src/wire/going-away-payload.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeSettings } from "../../src/wire/settings-payload.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { frame, invoke, RawPeer, serveRawClient } from "../raw-peer.js";
import { noTimers } from "../rpc/harness.js";
import { flowPair, HoldingReceiver, turn } from "./flow-pair.js";

const settings = encodeSettings({
  version: 1,
  windowBytes: 100_000,
  maxMessageBytes: 100_000,
  maxConcurrentStreams: 100,
  connectionWindowBytes: 1_000_000,
  compressions: 0,
});
const bye = new Failure("going home", Code.Unavailable);

/** A client session of ours, and the raw server at the other end. */
function rawServer(): {
  session: Session;
  peer: RawPeer;
  events: string[];
  open(): HoldingReceiver;
  greet(): Promise<void>;
} {
  const pair = createConnectionPair();
  const events: string[] = [];
  const session = new Session({
    role: "client",
    connection: pair.client,
    limits: resolveSessionOptions({}),
    announces: true,
    listener: {
      draining: () => events.push("draining"),
      ended: (error) => events.push(`ended ${error?.rawMessage ?? "well"}`),
    },
  });
  const peer = new RawPeer(pair.server);
  const call = { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [] };
  const open = (): HoldingReceiver => {
    let receiver: HoldingReceiver | undefined;
    session.open(call, (stream) => {
      receiver = new HoldingReceiver(stream);
      return receiver;
    });
    return receiver as unknown as HoldingReceiver;
  };
  return {
    session,
    peer,
    events,
    open,
    async greet() {
      await peer.frame(Kind.Invoke, 1);
      peer.write(frame(Kind.Settings, 1, 1, settings));
      await peer.frame(Kind.Settings, 1);
    },
  };
}

const goingAway = (lastStreamId: number): Uint8Array =>
  frame(Kind.GoingAway, 0, 0, encodeGoingAway({ lastStreamId, error: { code: 14n, text: "bye" } }));

async function quiet(): Promise<void> {
  for (let turns = 0; turns < 6; turns++) {
    await turn();
  }
}

describe("a client whose peer goes away", () => {
  test("begins no more calls, lets those end that the peer serves, tells the others that they never started, and then closes", async () => {
    const { session, peer, events, open, greet } = rawServer();
    const [served, late, later] = [open(), open(), open()];
    await greet();
    peer.write(goingAway(1));
    await quiet();
    assert.equal(session.takesCalls, false);
    assert.deepEqual(events, ["draining"]);
    assert.throws(open, { code: Code.Unavailable, notStarted: true, rawMessage: "/a.B/C: bye" });
    assert.equal(served.isTerminated, false);
    for (const { terminatedWith } of [late, later]) {
      assert.equal(terminatedWith?.code, Code.Unavailable);
      assert.equal(terminatedWith?.notStarted, true);
      assert.equal(terminatedWith?.rawMessage, "/a.B/C: bye");
    }
    served.stream.closeSend();
    peer.write(frame(Kind.Message, 1, 2), frame(Kind.CloseSend, 1, 3));
    await peer.ended;
    assert.equal(served.terminatedWith, undefined);
    assert.deepEqual(events, ["draining", "ended well"]);
    assert.ok(!peer.shown().some((shown) => shown.startsWith("GoingAway")), "it need not be told itself");
    await noTimers();
  });

  test("closes at once if it has no call", async () => {
    const { peer, events, open, greet } = rawServer();
    const { stream } = open();
    await greet();
    stream.close();
    peer.write(goingAway(1));
    await peer.ended;
    assert.deepEqual(events, ["draining", "ended well"]);
    await noTimers();
  });

  test("goes by the first GoingAway", async () => {
    const { session, peer, events, open, greet } = rawServer();
    const [first, second] = [open(), open()];
    await greet();
    peer.write(goingAway(2), goingAway(0));
    await quiet();
    assert.deepEqual([first.isTerminated, second.isTerminated], [false, false]);
    assert.deepEqual(events, ["draining"]);
    session.abort(bye);
  });

  test("ignores it, and a Refused, from a peer that is not known to be a ts-drpc peer", async () => {
    const { session, peer, events, open } = rawServer();
    const call = open();
    await peer.frame(Kind.Invoke, 1);
    peer.write(goingAway(0), frame(Kind.Refused, 1, 0, encodeErrorPayload({ code: 14n, text: "no" })));
    await quiet();
    assert.deepEqual([session.takesCalls, call.isTerminated, events], [true, false, []]);
    session.abort(bye);
  });

  test("ignores a malformed one, and goes on", async () => {
    const { session, peer, events, open, greet } = rawServer();
    const call = open();
    await greet();
    peer.write(frame(Kind.GoingAway, 0, 0), frame(Kind.GoingAway, 0, 0, new Uint8Array(12).fill(0xff)));
    await quiet();
    assert.deepEqual([session.takesCalls, call.isTerminated, events], [true, false, []]);
    session.abort(bye);
  });
});

describe("a call that is refused", () => {
  test("fails with the error in the frame, and never started; others go on", async () => {
    const { session, peer, open, greet } = rawServer();
    const [other, refused] = [open(), open()];
    await greet();
    peer.write(frame(Kind.Refused, 2, 0, encodeErrorPayload({ code: 8n, text: "full" })));
    await quiet();
    assert.equal(refused.terminatedWith?.code, Code.ResourceExhausted);
    assert.equal(refused.terminatedWith?.notStarted, true);
    assert.equal(refused.terminatedWith?.rawMessage, "/a.B/C: full");
    assert.equal(other.isTerminated, false);
    // For a stream that is over, and for one that never was.
    peer.write(frame(Kind.Refused, 2, 0, "no"), frame(Kind.Refused, 77, 0, "no"), frame(Kind.Refused, 0, 0, "no"));
    await quiet();
    assert.equal(session.ended, undefined);
    session.abort(bye);
  });

  test("cannot be one of the server's: a client refuses nothing", async () => {
    const pair = await flowPair({});
    pair.open();
    await pair.until(() => pair.receivers.size === 1);
    pair.client.sendPacket(Kind.Refused, 2, 0, encodeErrorPayload({ code: 8n, text: "full" }));
    await quiet();
    assert.equal([...pair.receivers.values()][0]?.isTerminated, false);
    pair.end();
  });
});

describe("a server that drains", () => {
  test("names the highest call that it looked at, serves it to its end, and has nothing left when the client has closed", async () => {
    const pair = await flowPair({});
    const call = pair.open();
    await pair.until(() => pair.receivers.has(2));
    const drained = pair.server.drain(bye);
    await pair.until(() => !pair.client.takesCalls);
    assert.equal(call.isTerminated, false);
    call.stream.closeSend();
    pair.receivers.get(2)?.stream.closeSend();
    await drained;
    await pair.until(() => pair.client.ended !== undefined && pair.server.ended !== undefined);
    assert.equal(call.terminatedWith, undefined);
    await noTimers();
  });

  test("and a call that crosses with that: it never starts, and its caller knows", async () => {
    const pair = await flowPair({});
    const before = pair.open();
    await pair.until(() => pair.receivers.has(2));
    void pair.server.drain(bye);
    const crossing = pair.open();
    await pair.until(() => crossing.isTerminated);
    assert.equal(crossing.terminatedWith?.notStarted, true);
    assert.equal(crossing.terminatedWith?.code, Code.Unavailable);
    await quiet();
    assert.equal(pair.receivers.has(3), false);
    assert.equal(before.isTerminated, false);
    pair.end();
    await noTimers();
  });

  test("tells a client that turns out to be a ts-drpc peer only then", async () => {
    const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
    peer.write(invoke(1, "/gopeer.v1.Echo/Bidi", { "ts-drpc": encodeBase64(settings, "url") }));
    await peer.frame(Kind.Settings, 1);
    const closing = served.close({ drainMs: 60_000 });
    await quiet();
    assert.ok(!peer.shown().some((shown) => shown.startsWith("GoingAway")));
    peer.write(frame(Kind.Settings, 1, 3, settings));
    const { data } = await peer.frame(Kind.GoingAway, 0);
    const told = decodeGoingAway(data);
    assert.deepEqual([told?.lastStreamId, told?.error.code], [1, 14n]);
    peer.write(frame(Kind.CloseSend, 1, 4));
    assert.deepEqual(await closing, { drained: 1, aborted: 0 });
    assert.equal(peer.shown().filter((shown) => shown.startsWith("GoingAway")).length, 1);
    await noTimers();
  });

  test("refuses a call that was half announced before, in the way that its client understands", async () => {
    const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()));
    peer.write(invoke(1, "/gopeer.v1.Echo/Bidi", { "ts-drpc": encodeBase64(settings, "url") }));
    await peer.frame(Kind.Settings, 1);
    peer.write(frame(Kind.Settings, 1, 3, settings));
    peer.write(frame(Kind.Invoke, 2, 1, "/gopeer.v1.Echo", { done: false }));
    await quiet();
    const closing = served.close({ drainMs: 60_000 });
    assert.equal(decodeGoingAway((await peer.frame(Kind.GoingAway, 0)).data)?.lastStreamId, 1);
    peer.write(frame(Kind.Invoke, 2, 1, "/Unary"), frame(Kind.Message, 2, 2, msg({})), frame(Kind.CloseSend, 2, 3));
    await peer.frame(Kind.Refused, 2);
    peer.write(frame(Kind.CloseSend, 1, 4));
    assert.deepEqual(await closing, { drained: 1, aborted: 0 });
    await noTimers();
  });

  test("has drained at once when the connection is gone, whatever its handlers still do", async () => {
    const stuck: (() => void)[] = [];
    const { peer, served } = serveRawClient((router) =>
      gopeer.registerEcho(router, { unary: () => new Promise((resolve) => stuck.push(() => resolve({}))) }),
    );
    peer.write(invoke(1, "/gopeer.v1.Echo/Unary"), frame(Kind.Message, 1, 2, msg({})));
    await quiet();
    assert.equal(stuck.length, 1);
    peer.close();
    await served.closed;
    await served.close({ drainMs: 60_000 });
    stuck[0]?.();
    await noTimers();
  });

  test("may be closed meanwhile, which ends what is left and tells both sides why", async () => {
    const pair = await flowPair({});
    const call = pair.open();
    await pair.until(() => pair.receivers.has(2));
    const drained = pair.server.drain(bye);
    pair.server.close(new Failure("no time left", Code.Unavailable));
    await drained;
    await pair.until(() => call.isTerminated && pair.client.ended !== undefined);
    assert.equal(call.terminatedWith?.rawMessage, "/a.B/C: no time left");
    assert.equal(call.terminatedWith?.notStarted, false);
    await pair.until(() => pair.server.ended !== undefined);
    await noTimers();
  });
});

describe("a client that drains", () => {
  test("says so, and the server ends the connection when the last call has ended", async () => {
    const pair = await flowPair({});
    const call = pair.open();
    await pair.until(() => pair.receivers.has(2));
    const drained = pair.client.drain(bye);
    await pair.until(() => !pair.server.takesCalls);
    assert.equal(pair.receivers.get(2)?.isTerminated, false, "a server's own streams are not above id 0");
    assert.throws(() => pair.open(), { notStarted: true });
    call.stream.closeSend();
    pair.receivers.get(2)?.stream.closeSend();
    await drained;
    await pair.until(() => pair.client.ended !== undefined && pair.server.ended !== undefined);
    assert.equal(call.terminatedWith, undefined);
    await noTimers();
  });

  test("and whose server does too: both wait for the calls, and nothing hangs", async () => {
    const pair = await flowPair({});
    const call = pair.open();
    await pair.until(() => pair.receivers.has(2));
    const both = [pair.client.drain(bye), pair.server.drain(bye)];
    await quiet();
    assert.equal(call.isTerminated, false);
    call.stream.closeSend();
    pair.receivers.get(2)?.stream.closeSend();
    await Promise.all(both);
    await pair.until(() => pair.client.ended !== undefined && pair.server.ended !== undefined);
    await noTimers();
  });

  test("of whose calls none is left ends as soon as the server has heard of it", async () => {
    const pair = await flowPair({});
    await pair.client.drain(bye);
    await pair.until(() => pair.client.ended !== undefined && pair.server.ended !== undefined);
    await noTimers();
  });
});

test("a session that is idle for idleTimeoutMs tells a call that crosses with the end that it never started", async () => {
  const pair = await flowPair({});
  const reason: DrpcError = new Failure("the connection was not used", Code.Unavailable, { notStarted: true });
  pair.server.close(reason);
  const crossing = pair.open();
  await pair.until(() => crossing.isTerminated);
  assert.equal(crossing.terminatedWith?.notStarted, true);
  await pair.until(() => pair.client.ended !== undefined && pair.server.ended !== undefined);
  await noTimers();
});
