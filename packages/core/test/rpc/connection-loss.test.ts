// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerContext } from "@ts-drpc/core";
import { Code, DrpcError } from "@ts-drpc/core";
import { createEchoServiceClient } from "@ts-drpc-internal/fixtures";
import { dialRawServer } from "../raw-peer.js";
import { assertUsable, type EchoPair, each, echoPair, sentences, withoutUnhandled } from "./harness.js";

/** A pair whose handlers wait for ever, and tell when they run and when they are aborted. */
function hangingPair(): EchoPair & {
  readonly running: Promise<void>;
  readonly reasons: unknown[];
  readonly aborted: Promise<void>;
} {
  let run = (): void => undefined;
  let abort = (): void => undefined;
  const running = new Promise<void>((resolve) => {
    run = resolve;
  });
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  const reasons: unknown[] = [];
  const hang = ({ signal }: HandlerContext): Promise<never> => {
    run();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        abort();
        reject(signal.reason);
      }),
    );
  };
  const pair = echoPair({
    say: (_, context) => hang(context),
    async *repeat({ sentence }, context) {
      yield { sentence };
      await hang(context);
    },
    async join(requests, context) {
      for await (const _ of requests) {
        break;
      }
      return hang(context);
    },
    async *chat(_requests, context) {
      yield {};
      await hang(context);
    },
  });
  return Object.assign(pair, { running, reasons, aborted });
}

async function* endless(): AsyncGenerator<{ sentence: string }> {
  yield { sentence: "first" };
  await new Promise<never>(() => undefined);
}

const phases: readonly (readonly [string, string, (pair: EchoPair) => Promise<unknown>])[] = [
  ["a unary call that waits for its answer", "Say", ({ client }) => client.say({ sentence: "x" })],
  ["a stream of responses in the middle", "Repeat", ({ client }) => sentences(client.repeat({ sentence: "x" }))],
  ["a stream of requests in the middle", "Join", ({ client }) => client.join(endless())],
  ["a conversation in the middle", "Chat", ({ client }) => sentences(client.chat(endless()))],
];

for (const [what, method, call] of phases) {
  for (const side of ["client", "server"] as const) {
    test(`a connection that the ${side} loses fails ${what} with Unavailable, its path and the address`, async () => {
      await withoutUnhandled(async () => {
        const pair = hangingPair();
        const result = call(pair);
        await pair.running;
        pair.connections[0]?.[side].abort();
        await assert.rejects(result, (error: DrpcError) => {
          assert.ok(error instanceof DrpcError);
          assert.equal(error.code, Code.Unavailable);
          assert.equal(error.notStarted, false);
          assert.equal(
            error.rawMessage,
            `/echo.v1.EchoService/${method}: the connection to in-memory server was closed by the peer`,
          );
          return true;
        });
        await pair.aborted;
        assert.ok(pair.reasons.every((reason) => reason instanceof DrpcError && reason.code === Code.Unavailable));
        const reason = await pair.served[0]?.closed;
        assert.equal(reason?.code, Code.Unavailable);
        assert.deepEqual(pair.errors, []);
      });
    });
  }
}

test("after a loss the next call dials again", async () => {
  await using pair = echoPair();
  await assertUsable(pair);
  pair.connections[0]?.server.abort();
  await pair.served[0]?.closed;
  assert.equal((await pair.client.say({ sentence: "again" })).sentence, "again");
  assert.equal(pair.served.length, 2);
});

test("messages that came in full before the loss are delivered before it is told", async () => {
  const pair = hangingPair();
  const replies = pair.client.repeat({ sentence: "x" })[Symbol.asyncIterator]();
  await pair.running;
  // The first message has been written; nobody has asked for it yet.
  await new Promise((resolve) => setTimeout(resolve, 0));
  pair.connections[0]?.server.close();
  await pair.served[0]?.closed;
  assert.equal((await replies.next()).value?.sentence, "x");
  await assert.rejects(replies.next(), { code: Code.Unavailable });
  assert.equal((await replies.next()).done, true);
});

test("500 calls of all kinds fail once each when their connection is lost, and nothing is left unhandled", async () => {
  await withoutUnhandled(async () => {
    const pair = hangingPair();
    const calls = Array.from({ length: 500 }, (_, index) => (phases[index % 4] as (typeof phases)[0])[2](pair));
    const results = Promise.allSettled(calls);
    await pair.running;
    await new Promise((resolve) => setTimeout(resolve, 0));
    // Those that wait for a place go to other connections, which are lost as well.
    const lose = setInterval(() => {
      for (const { server } of pair.connections) {
        server.abort();
      }
    }, 0);
    for (const result of await results) {
      assert.equal(result.status === "rejected" && result.reason.code, Code.Unavailable);
    }
    clearInterval(lose);
  });
});

test("garbage from a peer fails the calls with its first bytes in the error, and never goes unhandled", async () => {
  await withoutUnhandled(async () => {
    const { transport, peer } = dialRawServer();
    const client = createEchoServiceClient(transport);
    const calls = [client.say({}), sentences(client.repeat({}))];
    const chat = client.chat(each("a"))[Symbol.asyncIterator]();
    const raw = await peer();
    raw.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await assert.rejects(calls[0] as Promise<unknown>, {
      code: Code.Internal,
      message: /protocol error: .*the first bytes it sent are "HTTP\/1.1 400/,
    });
    const second = await peer(1);
    second.close();
    await assert.rejects(calls[1] as Promise<unknown>);
    await chat.return?.();
  });
});
