// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, createContextKey, DrpcError, type Interceptor } from "@ts-drpc/core";
import { type SayResponse, SayResponseSchema } from "@ts-drpc-internal/fixtures";
import { assertUsable, type EchoPair, each, echoPair, sentences, withoutUnhandled } from "./harness.js";

const kinds: readonly (readonly [string, (pair: EchoPair) => Promise<unknown>])[] = [
  ["unary", ({ client }) => client.say({ sentence: "x" })],
  ["server-streaming", ({ client }) => sentences(client.repeat({ sentence: "x", times: 2 }))],
  ["client-streaming", ({ client }) => client.join(each("x", "y"))],
  ["bidi-streaming", ({ client }) => sentences(client.chat(each("x", "y")))],
];

for (const [kind, call] of kinds) {
  test(`interceptors of a server wrap a ${kind} call, the first outermost, and know who calls`, async () => {
    const log: string[] = [];
    const tracer =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        log.push(`${name} sees ${request.peer?.address}`);
        const response = await next(request);
        log.push(`${name} is back`);
        return response;
      };
    await using pair = echoPair(undefined, { server: { interceptors: [tracer("outer"), tracer("inner")] } });
    await call(pair);
    assert.deepEqual(log, [
      "outer sees in-memory client",
      "inner sees in-memory client",
      "inner is back",
      "outer is back",
    ]);
    await assertUsable(pair);
  });

  test(`an interceptor of a server can refuse a ${kind} call before its handler runs`, async () => {
    let ran = false;
    const handler = (): never => {
      ran = true;
      throw new Error("not to be called");
    };
    const refuse: Interceptor = (next) => async (request) => {
      if (request.metadata.get("token") !== "good") {
        throw new DrpcError("who are you?", Code.Unauthenticated);
      }
      return next(request);
    };
    await using pair = echoPair(
      { say: handler, repeat: handler, join: handler, chat: handler },
      { server: { interceptors: [refuse] } },
    );
    await assert.rejects(call(pair), { code: Code.Unauthenticated, rawMessage: "who are you?" });
    assert.equal(ran, false);
    assert.deepEqual(pair.errors, []);
  });

  test(`what an interceptor of a server throws at a ${kind} call is kept from the caller and told to onError`, async () => {
    const reason = new Error("secret");
    for (const interceptor of [
      (() => async () => {
        throw reason;
      }) as Interceptor,
      (() => () => {
        throw reason;
      }) as unknown as Interceptor,
    ]) {
      await withoutUnhandled(async () => {
        await using pair = echoPair(undefined, { server: { interceptors: [interceptor] } });
        await assert.rejects(call(pair), { code: Code.Unknown, message: /the handler failed$/ });
        assert.deepEqual(pair.errors, [reason]);
      });
    }
  });

  test(`a ${kind} handler gets the context values that an interceptor of its server set`, async () => {
    const kUser = createContextKey("nobody");
    const authenticate: Interceptor = (next) => (request) => {
      request.contextValues.set(kUser, "ann");
      return next(request);
    };
    const seen: string[] = [];
    await using pair = echoPair(
      {
        say: (_, { contextValues }) => ({ sentence: String(seen.push(contextValues.get(kUser))) }),
        async *repeat(_, { contextValues }) {
          yield { sentence: String(seen.push(contextValues.get(kUser))) };
        },
        join: async (_, { contextValues }) => ({ sentence: String(seen.push(contextValues.get(kUser))) }),
        async *chat(_, { contextValues }) {
          yield { sentence: String(seen.push(contextValues.get(kUser))) };
        },
      },
      { server: { interceptors: [authenticate] } },
    );
    await call(pair);
    assert.deepEqual(seen, ["ann"]);
  });
}

test("an interceptor of a server can wrap the messages of both directions, answer by itself, and call next twice", async () => {
  const wrap: Interceptor = (next) => async (request) => {
    if (!request.stream) {
      const first = await next(request);
      const second = await next(request);
      return {
        stream: false,
        message: create(SayResponseSchema, { sentence: `${sentenceOf(first)}+${sentenceOf(second)}` }),
      };
    }
    const { messages } = request;
    const response = await next({
      ...request,
      messages: map(messages as AsyncIterable<SayResponse>, (text) => `${text}!`),
    });
    assert.equal(response.stream, true);
    return {
      stream: true,
      messages: map(response.messages as AsyncIterable<SayResponse>, (text) => text.toUpperCase()),
    };
  };
  let calls = 0;
  await using pair = echoPair(
    {
      say: () => ({ sentence: String(++calls) }),
      async *repeat({ sentence }) {
        yield { sentence };
        yield { sentence };
      },
      join: async (requests) => ({ sentence: (await sentences(requests)).join(" ") }),
      async *chat(requests) {
        for await (const { sentence } of requests) {
          yield { sentence };
        }
      },
    },
    { server: { interceptors: [wrap] } },
  );
  assert.equal((await pair.client.say({})).sentence, "1+2");
  assert.deepEqual(await sentences(pair.client.repeat({ sentence: "a" })), ["A!", "A!"]);
  assert.equal((await pair.client.join(each("a", "b"))).sentence, "A! B!");
  assert.deepEqual(await sentences(pair.client.chat(each("a", "b"))), ["A!", "B!"]);
});

test("an interceptor of a server that drops the one message of a method fails the call", async () => {
  const drop: Interceptor = (next) => async (request) => {
    const response = await next(request);
    return response.stream ? { stream: true, messages: (async function* () {})() } : response;
  };
  await using pair = echoPair(undefined, { server: { interceptors: [drop] } });
  await assert.rejects(pair.client.join(each("a")), {
    code: Code.Internal,
    message: /an interceptor left no message where the method has one/,
  });
  await pair.client.say({});
});

test("a caller that leaves is noticed through the interceptors of the server", async () => {
  let tell = (): void => undefined;
  const cleaned = new Promise<void>((resolve) => {
    tell = resolve;
  });
  await using pair = echoPair(
    {
      say: ({ sentence }) => ({ sentence }),
      async *repeat({ sentence }, { signal }) {
        try {
          yield { sentence };
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        } finally {
          tell();
        }
      },
    },
    { server: { interceptors: [(next) => (request) => next(request)] } },
  );
  for await (const _ of pair.client.repeat({})) {
    break;
  }
  await cleaned;
  await pair.client.say({});
});

async function* map(
  messages: AsyncIterable<SayResponse>,
  change: (text: string) => string,
): AsyncGenerator<SayResponse> {
  for await (const message of messages) {
    yield { ...message, sentence: change(message.sentence) };
  }
}

function sentenceOf(response: unknown): string {
  return (response as { message: SayResponse }).message.sentence;
}

test("a handler gets the context of its call whether an interceptor passes the request on, spreads it or builds another", async () => {
  const passes: Interceptor[] = [
    (next) => (request) => next(request),
    (next) => (request) => next({ ...request }),
    (next) => (request) =>
      next({ stream: request.stream, message: (request as { message: unknown }).message } as never),
  ];
  for (const interceptor of passes) {
    await using pair = echoPair(
      {
        say: (_request, { metadata, peer, signal, service, method, deadline, responseTrailer }) => {
          responseTrailer.set("from", `${metadata.get("name")} at ${peer.address}`);
          const sentence = [service.name, method.name, signal.aborted, deadline !== undefined].join(" ");
          return { sentence };
        },
      },
      { server: { interceptors: [interceptor] } },
    );
    await pair.client.say({});
    let trailer: string | undefined;
    const options = {
      metadata: { name: "ann" },
      timeoutMs: 3_600_000,
      onTrailer: (metadata: { get(key: string): string | undefined }) => {
        trailer = metadata.get("from");
      },
    };
    assert.equal((await pair.client.say({}, options)).sentence, "EchoService Say false true");
    assert.equal(trailer, "ann at in-memory client");
  }
});

test("a stream of a handler that gives something of which no message can be made fails the call, and the handler cleans up", async () => {
  let cleaned = false;
  await using pair = echoPair(
    {
      async *repeat() {
        try {
          yield { sentence: "first" };
          yield {
            get sentence(): string {
              throw new Error("broken");
            },
          };
        } finally {
          cleaned = true;
        }
      },
    },
    { server: { interceptors: [(next) => (request) => next(request)] } },
  );
  await assert.rejects(sentences(pair.client.repeat({})), { name: "DrpcError", code: Code.Unknown });
  assert.equal(cleaned, true);
  assert.equal(pair.errors.length, 1);
});
