// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Invoke, InvokeIntake } from "../../src/session/invoke-intake.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import { DrpcError } from "../../src/vocabulary/drpc-error.js";
import { FrameReader } from "../../src/wire/frame-reader.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { frame, join } from "../raw-peer.js";

interface Setup {
  readonly intake: InvokeIntake;
  readonly accepted: Invoke[];
  readonly refused: { streamId: number; text: string }[];
  bytes: number;

  /** What the host says to the next call. */
  refusal: DrpcError | undefined;

  /** Feeds bytes, as if they were all that came in one chunk. */
  feed(...frames: Uint8Array[]): void;
}

function setup(options: SessionOptions = {}): Setup {
  const reader = new FrameReader();
  const accepted: Invoke[] = [];
  const refused: { streamId: number; text: string }[] = [];
  const all: Setup = {
    accepted,
    refused,
    bytes: 0,
    refusal: undefined,
    intake: new InvokeIntake({
      limits: resolveSessionOptions(options),
      refusal: () => all.refusal,
      accept: (invoke) => accepted.push(invoke),
      refuse: (streamId, error) => refused.push({ streamId, text: error.rawMessage }),
      buffered: (change) => {
        all.bytes += change;
      },
      overBudget: () => undefined,
    }),
    feed(...frames) {
      reader.push(join(frames));
      while (reader.next()) {
        all.intake.receive(reader);
      }
      all.intake.endOfChunk();
    },
  };
  return all;
}

const metadata = encodeMetadataPayload([["a", "b"]]);

test("a call that was announced in full leaves nothing behind", () => {
  const { intake, accepted, feed, ...all } = setup();
  feed(frame(Kind.InvokeMetadata, 1, 1, metadata), frame(Kind.Invoke, 1, 2, "/a.B/C"));
  assert.deepEqual(
    accepted.map(({ streamId, path, metadata: entries }) => ({ streamId, path, entries })),
    [{ streamId: 1, path: "/a.B/C", entries: [["a", "b"]] }],
  );
  assert.equal(intake.size, 0);
  assert.equal(all.bytes, 0);
});

test("two metadata packets: the last one counts, as in Go", () => {
  const { accepted, feed } = setup();
  feed(
    frame(Kind.InvokeMetadata, 1, 1, metadata),
    frame(Kind.InvokeMetadata, 1, 2, encodeMetadataPayload([["c", "d"]])),
    frame(Kind.Invoke, 1, 3, "/"),
  );
  assert.deepEqual(accepted[0]?.metadata, [["c", "d"]]);
});

test("a refused call's remaining frames do not count, and are not refused twice", () => {
  const all = setup();
  all.refusal = new DrpcError("full");
  all.feed(frame(Kind.InvokeMetadata, 1, 1, metadata.subarray(0, 2), { done: false }));
  all.refusal = undefined;
  all.feed(
    frame(Kind.InvokeMetadata, 1, 1, metadata.subarray(2)),
    frame(Kind.Invoke, 1, 2, "/a", { done: false }),
    frame(Kind.Invoke, 1, 2, "b"),
  );
  assert.deepEqual(all.refused, [{ streamId: 1, text: "full" }]);
  assert.deepEqual(all.accepted, []);
  assert.equal(all.intake.size, 0);
});

test("the rest of a frame that was refused, or whose stream has ended, opens nothing", () => {
  const reader = new FrameReader();
  const all = setup({ maxMetadataBytes: 10 });
  const bytes = frame(Kind.Invoke, 1, 1, "/far.too.Long/Path");
  reader.push(bytes.subarray(0, 8));
  assert.equal(reader.next(), true);
  all.intake.receive(reader);
  reader.push(bytes.subarray(8));
  while (reader.next()) {
    all.intake.receive(reader);
  }
  assert.equal(all.refused.length, 1);
  assert.equal(all.intake.size, 0);
  assert.equal(all.bytes, 0);
});

test("what a packet above the limit drops is given back", () => {
  const all = setup({ maxMetadataBytes: 100 });
  all.feed(frame(Kind.InvokeMetadata, 1, 1, new Uint8Array(90), { done: false }));
  assert.ok(all.bytes >= 90);
  all.feed(frame(Kind.InvokeMetadata, 1, 2, new Uint8Array(101)));
  assert.equal(all.bytes, 0);
  assert.equal(all.refused.length, 1);
});

test("a call that the peer abandons is forgotten, and so is a refused one", () => {
  const all = setup();
  all.feed(frame(Kind.InvokeMetadata, 1, 1, metadata));
  assert.equal(all.intake.size, 1);
  all.intake.abandon(1);
  assert.equal(all.intake.size, 0);
  assert.equal(all.bytes, 0);
  all.intake.end();
});

function mockTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
}

test("half-open calls time out, each after invokeTimeoutMs, and their rest opens nothing", (t) => {
  mockTime(t);
  const all = setup({ invokeTimeoutMs: 1_000 });
  all.feed(frame(Kind.InvokeMetadata, 1, 1, metadata));
  t.mock.timers.tick(600);
  all.feed(frame(Kind.Invoke, 2, 1, "/a", { done: false }));
  t.mock.timers.tick(399);
  assert.deepEqual(all.refused, []);
  t.mock.timers.tick(1);
  const text = "the call was not announced in full within invokeTimeoutMs, 1000 ms";
  assert.deepEqual(all.refused, [{ streamId: 1, text }]);
  t.mock.timers.tick(600);
  assert.deepEqual(all.refused, [
    { streamId: 1, text },
    { streamId: 2, text },
  ]);
  assert.equal(all.intake.size, 0);
  assert.equal(all.bytes, 0);
  all.feed(frame(Kind.Invoke, 1, 2, "/late"), frame(Kind.Invoke, 2, 1, "b"));
  assert.deepEqual(all.accepted, []);
});

test("a call that is complete before its time leaves no timer", (t) => {
  mockTime(t);
  const all = setup({ invokeTimeoutMs: 1_000 });
  all.feed(frame(Kind.InvokeMetadata, 1, 1, metadata));
  all.feed(frame(Kind.Invoke, 1, 2, "/a"));
  t.mock.timers.tick(10_000);
  assert.deepEqual(all.refused, []);
  all.feed(frame(Kind.InvokeMetadata, 2, 1, metadata));
  all.intake.end();
  t.mock.timers.tick(10_000);
  assert.deepEqual(all.refused, []);
  assert.equal(all.bytes, 0);
});
