// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Code } from "@ts-drpc/core";
import { registerEchoService } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { frame, invoke, type RawPeer, serveRawClient } from "../raw-peer.js";

const say = "/echo.v1.EchoService/Say";
const join = "/echo.v1.EchoService/Join";

/** A server of ours with a messageTimeoutMs of 4,000, and time that passes only when the test says so. */
function setup(t: TestContext): { peer: RawPeer; pass: (ms: number) => Promise<void>; errors: () => string[] } {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { peer, served } = serveRawClient(
    (router) =>
      registerEchoService(router, {
        say: ({ sentence }) => ({ sentence }),
        join: async (requests) => {
          let sentence = "";
          for await (const request of requests) {
            sentence += request.sentence;
          }
          return { sentence };
        },
      }),
    { messageTimeoutMs: 4_000, keepaliveMs: 100_000 },
  );
  t.after(async () => {
    peer.close();
    await served.closed;
  });
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  return {
    peer,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 100) {
        await settle();
        t.mock.timers.tick(100);
      }
      await settle();
    },
    errors: () =>
      peer.frames
        .filter(({ kind }) => kind === Kind.Error)
        .map(({ stream, data }) => `${stream}: ${data[7]} ${Buffer.from(data.subarray(8))}`),
  };
}

const late = (stream: number, path: string): string =>
  `${stream}: ${Code.DeadlineExceeded} ${path}: a message was not complete within messageTimeoutMs, 4000 ms`;

test("a message that stays half sent ends its call after messageTimeoutMs, and no other", async (t) => {
  const { peer, pass, errors } = setup(t);
  peer.write(invoke(1, join), frame(Kind.Message, 1, 2, "half", { done: false }));
  peer.write(invoke(2, join), frame(Kind.Message, 2, 2));
  await pass(3_500);
  assert.deepEqual(errors(), []);
  await pass(2_000);
  assert.deepEqual(errors(), [late(1, join)]);
  peer.write(frame(Kind.CloseSend, 2, 3));
  await peer.frame(Kind.CloseSend, 2);
});

test("so does a frame of which only a part came", async (t) => {
  const { peer, pass, errors } = setup(t);
  peer.write(invoke(1, join), frame(Kind.Message, 1, 2, new Uint8Array(100)).subarray(0, 50));
  await pass(6_500);
  assert.deepEqual(errors(), [late(1, join)]);
});

test("a unary call without its request is ended, and one that gets it in time is answered", async (t) => {
  const { peer, pass, errors } = setup(t);
  peer.write(invoke(1, say), invoke(2, say));
  await pass(2_000);
  peer.write(frame(Kind.Message, 2, 2), frame(Kind.CloseSend, 2, 3));
  await pass(3_500);
  assert.deepEqual(errors(), [late(1, say)]);
  await peer.frame(Kind.CloseSend, 2);
});

test("the time begins with each message, and a stream between two may wait for ever", async (t) => {
  const { peer, pass, errors } = setup(t);
  peer.write(invoke(1, join));
  for (let message = 2; message < 6; message++) {
    peer.write(frame(Kind.Message, 1, message, Uint8Array.of(10), { done: false }));
    await pass(2_500);
    peer.write(frame(Kind.Message, 1, message, Uint8Array.of(1, 65)));
  }
  await pass(10_000);
  assert.deepEqual(errors(), []);
  peer.write(frame(Kind.CloseSend, 1, 6));
  await peer.frame(Kind.CloseSend, 1);
});
