// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createRouter, createSessionTransport, DrpcError, type Router, serveConnection } from "@ts-drpc/core";
import { createConnectionPair } from "@ts-drpc/core/testing";
import { createEchoServiceClient, type EchoServiceHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { dialRawServer, errorFrame, frame, invoke, serveRawClient } from "../raw-peer.js";
import { assertUsable, type EchoPair, each, echoPair, sentences, withoutUnhandled } from "./harness.js";

/** A handler whose every method does the same, and which is well behaved when asked nicely. */
function handlerThat(misbehave: () => unknown): Partial<EchoServiceHandler> {
  const nice = ["still", "here", "a", "b", "c", "d"];
  return {
    say: ({ sentence }) => (nice.includes(sentence) ? { sentence } : (misbehave() as never)),
    repeat: ({ sentence, times }) =>
      nice.includes(sentence) ? (Array.from({ length: times }, () => ({ sentence })) as never) : (misbehave() as never),
    join: (requests) => joinNicely(requests, nice, misbehave),
    chat: (requests) => chatNicely(requests, nice, misbehave),
  };
}

async function joinNicely(
  requests: AsyncIterable<{ sentence: string }>,
  nice: string[],
  misbehave: () => unknown,
): Promise<{ sentence: string }> {
  const all = await sentences(requests);
  return nice.includes(all[0] ?? "") ? { sentence: all.join(" ") } : (misbehave() as never);
}

async function* chatNicely(
  requests: AsyncIterable<{ sentence: string }>,
  nice: string[],
  misbehave: () => unknown,
): AsyncGenerator<{ sentence: string }> {
  for await (const { sentence } of requests) {
    yield nice.includes(sentence) ? { sentence } : (misbehave() as never);
  }
}

const kinds: readonly (readonly [string, (pair: EchoPair) => Promise<unknown>])[] = [
  ["unary", ({ client }) => client.say({ sentence: "x" })],
  ["server-streaming", ({ client }) => sentences(client.repeat({ sentence: "x", times: 3 }))],
  ["client-streaming", ({ client }) => client.join(each("x", "y"))],
  ["bidi-streaming", ({ client }) => sentences(client.chat(each("x", "y")))],
];

const sync = (reason: unknown) => () => {
  throw reason;
};

for (const [kind, call] of kinds) {
  test(`a DrpcError that a ${kind} handler throws comes to the caller with its code and text, and onError is not told`, async () => {
    await using pair = echoPair(handlerThat(sync(new DrpcError("no such user", Code.NotFound))));
    await assert.rejects(call(pair), {
      name: "DrpcError",
      code: Code.NotFound,
      rawMessage: "no such user",
      message: "[not_found] no such user",
    });
    await assertUsable(pair);
    assert.deepEqual(pair.errors, []);
  });

  for (const [what, reason] of [
    ["an Error", new Error("the password is 1234")],
    ["undefined", undefined],
    ["null", null],
    ["a string", "the password is 1234"],
    ["an object without a prototype", Object.create(null)],
    ["an AbortError", new DOMException("stop", "AbortError")],
  ] as const) {
    test(`what else a ${kind} handler throws is kept from the caller and told to onError: ${what}`, async () => {
      await withoutUnhandled(async () => {
        await using pair = echoPair(handlerThat(sync(reason)));
        await assert.rejects(call(pair), (error: DrpcError) => {
          assert.equal(error.code, Code.Unknown);
          assert.match(error.rawMessage, /^\/echo.v1.EchoService\/\w+: the handler failed$/);
          return true;
        });
        await assertUsable(pair);
        assert.deepEqual(pair.errors, [reason]);
      });
    });
  }

  test(`a ${kind} handler that rejects is as one that throws`, async () => {
    await withoutUnhandled(async () => {
      await using pair = echoPair(handlerThat(() => Promise.reject(undefined)));
      await assert.rejects(call(pair), { code: Code.Unknown });
      await assertUsable(pair);
      assert.equal(pair.errors.length, 1);
    });
  });

  test(`an onError that throws harms nobody when a ${kind} handler fails`, async (t) => {
    t.mock.method(console, "error", () => undefined);
    await withoutUnhandled(async () => {
      await using pair = echoPair(handlerThat(sync(new Error("first"))), {
        server: { onError: sync(new Error("second")) },
      });
      await assert.rejects(call(pair), { code: Code.Unknown });
      await assertUsable(pair);
    });
  });
}

test("a code of the application's own goes through, and the largest too", async () => {
  for (const code of [1_234, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    await using pair = echoPair({ say: sync(new DrpcError("mine", code)) });
    await assert.rejects(pair.client.say({}), { code, wireCode: BigInt(code) });
  }
});

test("an error text of any kind goes through, and a very long one is cut", async () => {
  for (const text of ["", "two\nlines", "\u{1f600} ünï", "x".repeat(200_000)]) {
    await using pair = echoPair({ say: sync(new DrpcError(text, Code.Aborted)) });
    await assert.rejects(pair.client.say({}), { code: Code.Aborted, rawMessage: text.slice(0, 65_528) });
  }
});

test("messages before an error are delivered before it", async () => {
  await using pair = echoPair({
    async *repeat() {
      yield { sentence: "one" };
      yield { sentence: "two" };
      throw new DrpcError("three", Code.DataLoss);
    },
  });
  const replies = pair.client.repeat({})[Symbol.asyncIterator]();
  assert.equal((await replies.next()).value?.sentence, "one");
  assert.equal((await replies.next()).value?.sentence, "two");
  await assert.rejects(replies.next(), { code: Code.DataLoss });
  assert.deepEqual(await replies.next(), { done: true, value: undefined });
});

test("a method that the handler left out, and one that no handler has, answer Unimplemented", async () => {
  await using pair = echoPair({ say: ({ sentence }) => ({ sentence }) });
  await pair.client.say({});
  for (const [, call] of kinds.slice(1)) {
    await assert.rejects(call(pair), {
      code: Code.Unimplemented,
      rawMessage: /^\/echo.v1.EchoService\/\w+ is not implemented$/,
    });
  }
  const { client, server } = createConnectionPair();
  serveConnection(server, createRouter());
  const nobody = createEchoServiceClient(createSessionTransport(async () => client));
  await assert.rejects(nobody.say({}), {
    code: Code.Unimplemented,
    notStarted: true,
    wireCode: 0n,
    rawMessage: 'protocol error: unknown rpc: "/echo.v1.EchoService/Say"',
  });
});

test("a request that cannot be encoded fails its call alone, for all kinds", async () => {
  await using pair = echoPair();
  const bad = { attachment: "no bytes" as unknown as Uint8Array };
  const { client } = pair;
  await assert.rejects(client.say(bad), { code: Code.Internal, message: /Say: the request could not be encoded/ });
  await assert.rejects(sentences(client.repeat({ times: 1.5 })), {
    code: Code.Internal,
    message: /Repeat: the request could not be encoded/,
  });
  await assert.rejects(
    client.join(
      (async function* () {
        yield bad;
      })(),
    ),
    { code: Code.Internal, message: /could not be encoded/ },
  );
  await assert.rejects(
    sentences(
      client.chat(
        (async function* () {
          yield bad;
        })(),
      ),
    ),
    { code: Code.Internal, message: /could not be encoded/ },
  );
  await assertUsable(pair);
});

test("a response that cannot be decoded fails its call alone, behind those that can", async () => {
  const { transport, peer, peers } = dialRawServer({ peer: "sequential" });
  const replies = createEchoServiceClient(transport).repeat({})[Symbol.asyncIterator]();
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(frame(Kind.Message, 1, 1), frame(Kind.Message, 1, 2, Uint8Array.of(0xff)), frame(Kind.Message, 1, 3));
  assert.equal((await replies.next()).done, false);
  await assert.rejects(replies.next(), { code: Code.Internal, message: /Repeat: the response could not be decoded/ });
  assert.equal((await replies.next()).done, true);
  await raw.frame(Kind.Cancel, 1);
  assert.deepEqual(raw.shown(1), ["Invoke 1/1 27", "Message 1/2", "CloseSend 1/3", "Cancel 1/4 control"]);
  assert.equal(peers.length, 1);
});

test("a dial that fails makes calls fail as not started, with the reason, and the next call dials again", async () => {
  let dials = 0;
  const reason = new Error("no such host");
  const { client, server } = createConnectionPair();
  const router: Router = createRouter();
  registerEchoService(router, { say: ({ sentence }) => ({ sentence }) });
  serveConnection(server, router);
  const transport = createSessionTransport(async () => {
    dials++;
    if (dials === 1) {
      throw reason;
    }
    return client;
  });
  const echo = createEchoServiceClient(transport);
  const failing = { Say: echo.say({}), Repeat: sentences(echo.repeat({})), Join: echo.join(nothing()) };
  for (const [name, call] of Object.entries(failing)) {
    const rawMessage = `/echo.v1.EchoService/${name}: no such host`;
    await assert.rejects(call, { code: Code.Unavailable, notStarted: true, cause: reason, rawMessage });
  }
  assert.equal((await echo.say({ sentence: "again" })).sentence, "again");
  assert.equal(dials, 2);
});

test("a call that finds its transport closed says so with the method, and what to do", async () => {
  const pair = echoPair();
  await pair.transport.close();
  const calls = {
    Say: pair.client.say({}),
    Repeat: sentences(pair.client.repeat({})),
    Join: pair.client.join(nothing()),
    Chat: sentences(pair.client.chat(nothing())),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call, {
      code: Code.Canceled,
      notStarted: true,
      rawMessage: `/echo.v1.EchoService/${name}: the transport was closed, and makes no more calls: create another one for them`,
    });
  }
  await pair[Symbol.asyncDispose]();
});

test('a server with errorFormat "grpc-status" answers so, and a ts-drpc client reads it', async () => {
  const pair = echoPair(handlerThat(sync(new DrpcError("no such user", Code.NotFound))), {
    server: { errorFormat: "grpc-status" },
  });
  await using _ = pair;
  await assert.rejects(pair.client.say({}), { code: Code.NotFound, rawMessage: "no such user" });
  const { peer } = serveRawClient((router) => registerEchoService(router, {}), { errorFormat: "grpc-status" });
  peer.write(invoke(1, "/a.B/C"));
  const { data } = await peer.frame(Kind.Error, 1);
  assert.deepEqual([...data.subarray(0, 3)], [1, 8, Code.Unknown]);
});

test("an errorFormat that there is not is refused", () => {
  assert.throws(() => serveRawClient(() => undefined, { errorFormat: "json" as "drpc" }), {
    name: "RangeError",
    message: 'errorFormat must be "drpc" or "grpc-status", got "json"',
  });
});

test("unknown methods and refused calls are known by their text, with the code Unknown too", async () => {
  for (const [text, code] of [
    ['protocol error: unknown rpc: "/a.B/C"', Code.Unimplemented],
    ["too many concurrent streams: refused: at most 3 concurrent streams", Code.ResourceExhausted],
  ] as const) {
    const { transport, peer } = dialRawServer({ retry: { maxAttempts: 1 } });
    const call = createEchoServiceClient(transport).say({});
    const raw = await peer();
    await raw.frame(Kind.CloseSend, 1);
    raw.write(errorFrame(1, 1, 2n, text));
    await assert.rejects(call, { code, notStarted: true, wireCode: 2n });
  }
});

async function* nothing(): AsyncGenerator<{ sentence: string }> {}
