// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import fc from "fast-check";
import { decodeCredit, encodeCredit, messageOverheadBytes } from "../../src/session/flow-control.js";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions } from "../../src/session/session-options.js";
import { announcementKey } from "../../src/session/settings-exchange.js";
import { createConnectionPair } from "../../src/testing/connection-pair.js";
import { encodeBase64 } from "../../src/wire/base64.js";
import { Kind } from "../../src/wire/kind.js";
import { decodeSettings, encodeSettings } from "../../src/wire/settings-payload.js";
import { frame, invoke, RawPeer, type WireFrame } from "../raw-peer.js";
import { HoldingReceiver, turn } from "./flow-pair.js";

const windowBytes = 400_000;
const settings = {
  version: 1,
  windowBytes: 150_000,
  maxMessageBytes: 300_000,
  maxConcurrentStreams: 100,
  connectionWindowBytes: windowBytes,
  compressions: 0,
};

/** Returns what the messages in frames cost: their bytes, and the overhead of each that is complete. */
function cost(frames: readonly Pick<WireFrame, "kind" | "done" | "data">[]): number {
  return frames
    .filter(({ kind }) => kind === Kind.Message)
    .reduce((sum, { done, data }) => sum + data.length + (done ? messageOverheadBytes : 0), 0);
}

async function quiet(): Promise<void> {
  for (let turns = 0; turns < 8; turns++) {
    await turn();
  }
}

test("a sender takes back what it did not send: granted all that arrived, it has its whole window again and not a byte more", async () => {
  const call = { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [], streamsRequests: true };
  const step = fc.record({
    what: fc.constantFrom("open", "send", "send", "send", "cancel", "peerError", "peerClose", "grant", "pause", "wait"),
    stream: fc.nat(4),
    bytes: fc.oneof(fc.nat(1_000), fc.nat(300_000)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.nat(200_000), async (steps, unsent) => {
      const pair = createConnectionPair();
      const session = new Session({
        role: "client",
        connection: pair.client,
        limits: resolveSessionOptions({ maxUnsentBytes: unsent + 1 }),
        announces: true,
        listener: {},
      });
      const peer = new RawPeer(pair.server);
      const open: HoldingReceiver[] = [];
      const opens = (): void => {
        session.open(call, (stream) => {
          const receiver = new HoldingReceiver(stream);
          open.push(receiver);
          return receiver;
        });
      };
      opens();
      // Sent before the window is known: it counts too.
      open[0]?.stream.send(new Uint8Array(100_000))?.catch(() => undefined);
      await peer.frame(Kind.Invoke, 1);
      peer.write(frame(Kind.Settings, 1, 1, encodeSettings(settings)));
      await peer.frame(Kind.Settings, 1);
      let granted = 0;
      const grant = (): void => {
        const bytes = cost(peer.frames) - granted;
        if (bytes > 0) {
          peer.write(frame(Kind.WindowUpdate, 0, 0, encodeCredit(bytes)));
          granted += bytes;
        }
      };
      const sending = new Set<HoldingReceiver>();
      let message = 2;
      for (const { what, stream, bytes } of steps) {
        const receiver = open[stream % open.length] as HoldingReceiver;
        if (what === "open" && open.length < 6) {
          opens();
        } else if (what === "send" && !sending.has(receiver)) {
          sending.add(receiver);
          const accepted = receiver.stream.terminated ? undefined : receiver.stream.send(new Uint8Array(bytes));
          if (accepted === undefined) {
            sending.delete(receiver);
          } else {
            accepted.catch(() => undefined).finally(() => sending.delete(receiver));
          }
        } else if (what === "cancel") {
          receiver.stream.cancel(new DrpcError("enough", Code.Canceled));
        } else if (what === "peerError") {
          peer.write(frame(Kind.Error, receiver.stream.id, message++, "no"));
        } else if (what === "peerClose") {
          peer.write(frame(Kind.Close, receiver.stream.id, message++));
        } else if (what === "grant") {
          peer.resume();
          await quiet();
          grant();
          peer.write(frame(Kind.WindowUpdate, receiver.stream.id, 0, encodeCredit(bytes + 1)));
        } else if (what === "pause") {
          peer.pause();
        } else if (what === "wait") {
          await quiet();
        }
      }
      for (const { stream } of open) {
        stream.cancel(new DrpcError("over", Code.Canceled));
      }
      peer.resume();
      await quiet();
      grant();
      await quiet();
      const { flow } = session;
      for (let quarter = 1; quarter <= 4; quarter++) {
        assert.equal(flow.spend(1_000, windowBytes / 4), undefined, `quarter ${quarter} of the window is not there`);
      }
      const more = flow.spend(1_000, 1);
      assert.notEqual(more, undefined, "there is more than the window");
      more?.catch(() => undefined);
      session.abort(new DrpcError("over"));
    }),
    { numRuns: 25 },
  );
});

test("a stream that ends in the moment when its message may go gives the credit back", async () => {
  const pair = createConnectionPair();
  const limits = resolveSessionOptions({});
  const session = new Session({ role: "client", connection: pair.client, limits, announces: true, listener: {} });
  const peer = new RawPeer(pair.server);
  const stream = session.open(
    { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [], streamsRequests: true },
    (opened) => new HoldingReceiver(opened),
  );
  await peer.frame(Kind.Invoke, 1);
  peer.write(frame(Kind.Settings, 1, 1, encodeSettings({ ...settings, windowBytes: 1_000_000 })));
  await peer.frame(Kind.Settings, 1);
  await stream.send(new Uint8Array(300_000 - messageOverheadBytes));
  const waiting = stream.send(new Uint8Array(150_000));
  // Both come in one turn: the first lets the message go, the second ends its stream before it has gone.
  peer.write(frame(Kind.WindowUpdate, 0, 0, encodeCredit(300_000)), frame(Kind.Error, 1, 2, "no"));
  await assert.rejects(waiting ?? Promise.resolve());
  assert.equal(session.flow.spend(1_000, windowBytes / 2), undefined);
  assert.equal(session.flow.spend(1_000, windowBytes / 2), undefined);
  const more = session.flow.spend(1_000, 1);
  assert.notEqual(more, undefined);
  more?.catch(() => undefined);
  session.abort(new DrpcError("over"));
});

test("a receiver gives back all that arrived, whatever became of it, and not a byte more", async () => {
  const path = "/a.B/C";
  const step = fc.record({
    what: fc.constantFrom(
      "open",
      "message",
      "message",
      "part",
      "skip",
      "rest",
      "cancel",
      "closeSend",
      "take",
      "fail",
      "late",
    ),
    stream: fc.nat(4),
    bytes: fc.oneof(fc.nat(1_000), fc.nat(90_000)),
    wait: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const pair = createConnectionPair();
      const receivers = new Map<number, HoldingReceiver>();
      const limits = resolveSessionOptions({
        maxMessageBytes: 120_000,
        windowBytes: 200_000,
        maxBufferedBytes: 520_000,
      });
      const session: Session = new Session({
        role: "server",
        connection: pair.server,
        limits,
        announces: false,
        listener: {
          invoked(announced) {
            const stream = session.openAccepted(announced, (opened) => {
              const receiver = new HoldingReceiver(opened);
              receivers.set(opened.id, receiver);
              return receiver;
            });
            const announcement = announced.metadata.find(([key]) => key === announcementKey);
            if (announcement !== undefined) {
              session.answerAnnouncement(announcement[1], stream);
            }
          },
        },
      });
      const peer = new RawPeer(pair.client);
      const sent: Pick<WireFrame, "kind" | "done" | "data">[] = [];
      const nextMessage = new Map<number, number>();
      const ended = new Set<number>();
      const write = (stream: number, bytes: number, { done = true, next = true } = {}): void => {
        const data = new Uint8Array(bytes);
        const messageId = nextMessage.get(stream) as number;
        sent.push({ kind: Kind.Message, done, data });
        peer.write(frame(Kind.Message, stream, messageId, data, { done }));
        nextMessage.set(stream, next ? messageId + 1 : messageId);
      };
      const announcement = encodeBase64(encodeSettings(settings), "url");
      peer.write(invoke(1, path, { [announcementKey]: announcement }));
      const { data } = await peer.frame(Kind.Settings, 1);
      const { connectionWindowBytes } = decodeSettings(data);
      peer.write(frame(Kind.Settings, 1, 3, encodeSettings(settings)));
      nextMessage.set(1, 4);
      const granted = (): number =>
        peer.frames
          .filter(({ kind, stream }) => kind === Kind.WindowUpdate && stream === 0)
          .reduce((sum, each) => sum + decodeCredit(each.data), 0);
      for (const { what, stream, bytes, wait } of steps) {
        const ids = [...nextMessage.keys()];
        const id = ids[stream % ids.length] as number;
        // It keeps to its window, roughly: the point is what becomes of what it sent.
        const may = cost(sent) - granted() + bytes + messageOverheadBytes <= connectionWindowBytes;
        const live = !ended.has(id);
        if (what === "open" && ids.length < 6) {
          peer.write(invoke(ids.length + 1, path));
          nextMessage.set(ids.length + 1, 2);
        } else if (what === "message" && may && live) {
          write(id, bytes);
        } else if (what === "part" && may && live) {
          write(id, Math.min(bytes, 40_000), { done: false, next: false });
        } else if (what === "skip" && live) {
          nextMessage.set(id, (nextMessage.get(id) as number) + 1);
        } else if (what === "rest" && may && live) {
          write(id, Math.min(bytes, 1_000));
        } else if (what === "cancel" && live) {
          peer.write(frame(Kind.Cancel, id, (nextMessage.get(id) as number) + 1));
          ended.add(id);
        } else if (what === "closeSend" && live) {
          peer.write(frame(Kind.CloseSend, id, (nextMessage.get(id) as number) + 1));
          nextMessage.set(id, (nextMessage.get(id) as number) + 2);
        } else if (what === "take") {
          receivers.get(id)?.take();
        } else if (what === "fail") {
          receivers.get(id)?.stream.fail(new DrpcError("no", Code.Internal));
        } else if (what === "late" && may && ended.has(id)) {
          write(id, bytes);
        }
        if (wait) {
          await quiet();
        }
      }
      await quiet();
      for (const receiver of receivers.values()) {
        receiver.stream.fail(new DrpcError("over", Code.Internal));
      }
      await quiet();
      assert.equal(session.budget.bytes, 0);
      assert.ok(granted() <= cost(sent));
      assert.ok(cost(sent) - granted() < connectionWindowBytes / 4, "less than what is worth a grant is kept back");
      // A grant takes all that there is to grant, so that the books must be even right after one.
      for (const before = granted(); granted() === before; ) {
        write(1, 10_000);
        await turn();
        await turn();
        assert.ok(cost(sent) - granted() < connectionWindowBytes / 4 + 40_000, "no grant comes");
      }
      await quiet();
      assert.ok(cost(sent) - granted() < 40_000);
      assert.equal((cost(sent) - granted()) % (10_000 + messageOverheadBytes), 0, "bytes were lost, or given twice");
      session.abort(new DrpcError("over"));
    }),
    { numRuns: 25 },
  );
});
