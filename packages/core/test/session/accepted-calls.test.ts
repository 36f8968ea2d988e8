// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import { AcceptedCalls, type AcceptedCallsHost } from "../../src/session/accepted-calls.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import { Kind } from "../../src/wire/kind.js";
import { frame, framesOf, invoke, join, show } from "../raw-peer.js";
import { eachFragment } from "../wire/frames.js";

interface Setup {
  readonly calls: AcceptedCalls;
  readonly host: { -readonly [Name in keyof AcceptedCallsHost]: AcceptedCallsHost[Name] };
  readonly events: string[];
  receive(...parts: Uint8Array[]): void;
  passOver(...parts: Uint8Array[]): void;
}

function setup(options: SessionOptions = {}): Setup {
  const events: string[] = [];
  const limits = resolveSessionOptions(options);
  let held = 0;
  const host: Setup["host"] = {
    limits,
    errorFormat: "drpc",
    draining: undefined,
    knowsPeer: false,
    sendPacket(kind, streamId, messageId, body) {
      events.push(
        framesOf(frame(kind, streamId, messageId, body))
          .map(show)
          .join(),
      );
    },
    invoked({ streamId, path }) {
      events.push(`invoked ${streamId} ${path}`);
      calls.take();
    },
    budget: {
      add: (change: number) => {
        held += change;
      },
      exceeded: () => undefined,
      get bytes() {
        return held;
      },
    } as AcceptedCallsHost["budget"],
    close: (reason) => events.push(`close ${reason.rawMessage}`),
  };
  const calls = new AcceptedCalls(host);
  return {
    calls,
    host,
    events,
    receive: (...parts) => eachFragment([join(parts)], (fragment) => calls.receive(fragment)),
    passOver: (...parts) => eachFragment([join(parts)], (fragment) => calls.passedOver(fragment)),
  };
}

test("lets in as many calls as may be at once, those that are being announced included, and refuses the next", () => {
  const { calls, events, receive } = setup({ maxConcurrentStreams: 2 });
  receive(invoke(1, "/a"), frame(Kind.Invoke, 2, 1, "/b", { done: false }), invoke(3, "/c"));
  assert.deepEqual(events, ["invoked 1 /a", "Error 3/1 125"]);
  assert.deepEqual([calls.count, calls.halfOpenCount], [1, 1]);
  calls.release();
  receive(invoke(4, "/d"));
  assert.equal(events.at(-1), "invoked 4 /d");
  receive(frame(Kind.Invoke, 2, 1, "2"));
  assert.equal(events.at(-1), "invoked 2 /b2", "a call that had begun has its place");
  calls.end();
});

test("refuses a ts-drpc client's call by a Refused frame, and any other's by an Error", () => {
  const { host, events, receive } = setup({ maxConcurrentStreams: 1 });
  receive(invoke(1, "/a"), invoke(2, "/b"));
  host.knowsPeer = true;
  receive(invoke(3, "/c"));
  assert.deepEqual(events.slice(1), ["Error 2/1 125", "Refused 3/0 control 125"]);
});

test("knows the highest stream that it looked at, also of those that were refused, and whatever their order", () => {
  const { calls, host, receive } = setup();
  assert.equal(calls.highestStreamId, 0);
  receive(invoke(7, "/a"), invoke(3, "/b"));
  assert.equal(calls.highestStreamId, 7);
  host.draining = new DrpcError("closing", Code.Unavailable);
  receive(invoke(9, "/c"));
  assert.equal(calls.highestStreamId, 9);
  receive(frame(Kind.Invoke, 11, 1, "/d", { done: false }));
  assert.equal(calls.highestStreamId, 11, "it was refused by its first frame");
});

test("refuses a call whose announcement ends when no more calls are taken", () => {
  const { calls, host, events, receive } = setup();
  receive(frame(Kind.Invoke, 1, 1, "/a", { done: false }));
  host.draining = new DrpcError("closing", Code.Unavailable);
  host.knowsPeer = true;
  assert.equal(calls.highestStreamId, 0, "a GoingAway now would not claim it");
  receive(frame(Kind.Invoke, 1, 1, "b"));
  assert.deepEqual(events, ["Refused 1/0 control 15"]);
  assert.equal(calls.halfOpenCount, 0);
});

test("closes the connection of a client with too many calls that come to nothing: refused, canceled or failed by its fault", () => {
  const { calls, events, receive } = setup({ maxConcurrentStreams: 1, maxResetsPerSecond: 1 });
  receive(invoke(1, "/a"));
  for (let stream = 2; stream < 8; stream++) {
    receive(invoke(stream, "/b"));
  }
  for (let count = 0; count < 4; count++) {
    calls.reset();
  }
  assert.ok(!events.some((event) => event.startsWith("close")));
  calls.reset();
  assert.match(events.at(-1) ?? "", /^close too many calls .*the limit maxResetsPerSecond is 1$/);
});

test("a call that is abandoned before it was announced frees its place and its memory", () => {
  const { calls, host, receive, passOver } = setup({ maxConcurrentStreams: 1 });
  receive(frame(Kind.Invoke, 1, 1, "/a", { done: false }));
  assert.ok(host.budget.bytes > 0);
  passOver(frame(Kind.Cancel, 1, 2));
  assert.deepEqual([calls.halfOpenCount, host.budget.bytes], [0, 0]);
  receive(frame(Kind.Invoke, 2, 1, "/a", { done: false }));
  calls.end();
  assert.deepEqual([calls.halfOpenCount, host.budget.bytes], [0, 0]);
});
