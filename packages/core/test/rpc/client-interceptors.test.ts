// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ContextValues, createContextKey, DrpcError, type HandlerContext, type Interceptor } from "@ts-drpc/core";
import { type SayResponse, SayResponseSchema } from "@ts-drpc-internal/fixtures";
import { assertNoListeners, assertUsable, type EchoPair, each, echoPair, noTimers, sentences } from "./harness.js";

const kinds: readonly (readonly [string, (pair: EchoPair, options?: object) => Promise<unknown>])[] = [
  ["unary", ({ client }, options) => client.say({ sentence: "x" }, options)],
  ["server-streaming", ({ client }, options) => sentences(client.repeat({ sentence: "x", times: 2 }, options))],
  ["client-streaming", ({ client }, options) => client.join(each("x", "y"), options)],
  ["bidi-streaming", ({ client }, options) => sentences(client.chat(each("x", "y"), options))],
];

/** An interceptor that writes down when it sees what. */
function tracer(name: string, log: string[]): Interceptor {
  return (next) => async (request) => {
    log.push(`${name} sees ${request.method.name}`);
    const response = await next(request);
    log.push(`${name} is back`);
    return response;
  };
}

for (const [kind, call] of kinds) {
  test(`interceptors wrap a ${kind} call, the first outermost`, async () => {
    const log: string[] = [];
    await using pair = echoPair(undefined, { client: { interceptors: [tracer("outer", log), tracer("inner", log)] } });
    await call(pair);
    assert.deepEqual(
      log.map((line) => line.replace(/ (Say|Repeat|Join|Chat)$/, "")),
      ["outer sees", "inner sees", "inner is back", "outer is back"],
    );
    await assertUsable(pair);
  });

  test(`an interceptor can change the metadata of a ${kind} call, and the caller's own stays as it is`, async () => {
    const seen: HandlerContext[] = [];
    const change: Interceptor = (next) => (request) => {
      request.metadata.set("added", "by interceptor");
      request.metadata.delete("mine");
      return next(request);
    };
    const note: Interceptor = (next) => (request) => {
      seen.push(request as unknown as HandlerContext);
      return next(request);
    };
    await using pair = echoPair(undefined, { client: { interceptors: [change] }, server: { interceptors: [note] } });
    const metadata = { mine: "yes", kept: "yes" };
    await call(pair, { metadata });
    assert.deepEqual(
      [...(seen[0] as HandlerContext).metadata],
      [
        ["kept", "yes"],
        ["added", "by interceptor"],
      ],
    );
    assert.deepEqual(metadata, { mine: "yes", kept: "yes" });
  });

  test(`an interceptor can refuse a ${kind} call without calling next, and what it throws is a DrpcError for the caller`, async () => {
    for (const [reason, code] of [
      [new DrpcError("not you", Code.PermissionDenied), Code.PermissionDenied],
      [new Error("oops"), Code.Unknown],
      [undefined, Code.Unknown],
    ] as const) {
      const refuse: Interceptor = () => async () => {
        throw reason;
      };
      await using pair = echoPair(undefined, { client: { interceptors: [refuse] } });
      await assert.rejects(call(pair), { name: "DrpcError", code });
      assert.equal(pair.served.length, 0);
    }
  });

  test(`an interceptor can map the errors of a ${kind} call`, async () => {
    const fail = (): never => {
      throw new DrpcError("inner", Code.Internal);
    };
    const map: Interceptor = (next) => async (request) => {
      const mapped = (reason: unknown): never => {
        throw new DrpcError(`outer: ${DrpcError.from(reason).rawMessage}`, Code.Aborted);
      };
      const response = await next(request).catch(mapped);
      if (!response.stream) {
        return response;
      }
      const { messages } = response;
      return {
        stream: true,
        messages: (async function* () {
          try {
            yield* messages;
          } catch (reason) {
            mapped(reason);
          }
        })(),
      };
    };
    await using pair = echoPair(
      { say: fail, repeat: fail, join: fail, chat: fail },
      { client: { interceptors: [map] } },
    );
    await assert.rejects(call(pair), { code: Code.Aborted, rawMessage: "outer: inner" });
  });

  test(`a signal and a timeout end a ${kind} call even while an interceptor holds it`, async () => {
    const holds: AbortSignal[] = [];
    const hold: Interceptor =
      () =>
      ({ signal }) => {
        holds.push(signal);
        return new Promise(() => undefined);
      };
    await using pair = echoPair(undefined, { client: { interceptors: [hold] } });
    const controller = new AbortController();
    const held = call(pair, { signal: controller.signal });
    controller.abort();
    await assert.rejects(held, { code: Code.Canceled });
    await assert.rejects(call(pair, { timeoutMs: 5 }), { code: Code.DeadlineExceeded });
    assert.deepEqual(
      holds.map(({ aborted }) => aborted),
      [true, true],
    );
    assertNoListeners(controller.signal);
    await noTimers();
  });

  test(`a ${kind} call that went through interceptors leaves no listener and no timer`, async () => {
    const controller = new AbortController();
    {
      await using pair = echoPair(undefined, { client: { interceptors: [(next) => next] } });
      await call(pair, { signal: controller.signal, timeoutMs: 3_600_000 });
    }
    assertNoListeners(controller.signal);
    await noTimers();
  });
}

test("an interceptor can call next again: a unary call is retried", async () => {
  let attempts = 0;
  const retry: Interceptor = (next) => async (request) => {
    try {
      return await next(request);
    } catch (reason) {
      assert.equal(DrpcError.from(reason).code, Code.Unavailable);
      return next(request);
    }
  };
  await using pair = echoPair(
    {
      say: ({ sentence }) => {
        attempts++;
        if (attempts % 2 === 1) {
          throw new DrpcError("busy", Code.Unavailable);
        }
        return { sentence };
      },
    },
    { client: { interceptors: [retry] } },
  );
  assert.equal((await pair.client.say({ sentence: "again" })).sentence, "again");
  assert.equal(attempts, 2);
});

test("an interceptor can answer by itself, and can wrap the messages of both directions", async () => {
  const shout = (text: string): string => text.toUpperCase();
  const wrap: Interceptor = (next) => async (request) => {
    if (!request.stream) {
      return { stream: false, message: create(SayResponseSchema, { sentence: "from the interceptor" }) };
    }
    const { messages } = request;
    const response = await next({
      ...request,
      messages: (async function* () {
        for await (const message of messages) {
          yield { ...message, sentence: `${(message as unknown as SayResponse).sentence}!` };
        }
      })(),
    });
    assert.equal(response.stream, true);
    const responses = response.messages as AsyncIterable<SayResponse>;
    return {
      stream: true,
      messages: (async function* () {
        for await (const message of responses) {
          yield { ...message, sentence: shout(message.sentence) };
        }
      })(),
    };
  };
  await using pair = echoPair(undefined, { client: { interceptors: [wrap] } });
  assert.equal((await pair.client.say({})).sentence, "from the interceptor");
  assert.equal(pair.served.length, 0);
  assert.deepEqual(await sentences(pair.client.chat(each("a", "b"))), ["A!", "B!"]);
  assert.deepEqual(await sentences(pair.client.repeat({ sentence: "a", times: 2 })), ["A!", "A!"]);
  assert.equal((await pair.client.join(each("a", "b"))).sentence, "A! B!");
});

test("context values go from the caller through the interceptors, and do not travel", async () => {
  const kUser = createContextKey("nobody", { description: "user" });
  const seen: string[] = [];
  const note: Interceptor = (next) => (request) => {
    seen.push(request.contextValues.get(kUser));
    request.contextValues.set(kUser, `${request.contextValues.get(kUser)}, checked`);
    return next(request);
  };
  await using pair = echoPair(
    { say: (_request, { contextValues }) => ({ sentence: contextValues.get(kUser) }) },
    { client: { interceptors: [note, note] } },
  );
  const contextValues = new ContextValues().set(kUser, "ann");
  assert.equal((await pair.client.say({}, { contextValues })).sentence, "nobody");
  await pair.client.say({});
  assert.deepEqual(seen, ["ann", "ann, checked", "nobody", "nobody, checked"]);
});

test("break through interceptors cancels the call, however they wrap the responses", async () => {
  const generator: Interceptor = (next) => async (request) => {
    const response = await next(request);
    const { messages } = response as { messages: AsyncIterable<never> };
    return {
      stream: true,
      messages: (async function* () {
        yield* messages;
      })(),
    };
  };
  for (const interceptor of [(next: Parameters<Interceptor>[0]) => next, generator]) {
    for (const reads of [0, 1]) {
      let tell = (): void => undefined;
      const aborted = new Promise<void>((resolve) => {
        tell = resolve;
      });
      await using pair = echoPair(
        {
          async *repeat({ sentence }, { signal }) {
            yield { sentence };
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
            tell();
          },
        },
        { client: { interceptors: [interceptor] } },
      );
      const responses = pair.client.repeat({})[Symbol.asyncIterator]();
      for (let count = 0; count < reads; count++) {
        await responses.next();
      }
      // Without a read the call may still be on its way; the handler is told all the same, or never starts.
      while (pair.served.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await responses.return?.();
      if (reads > 0) {
        await aborted;
      }
    }
  }
});

test("calls that an interceptor makes of one call all end with it, whether or not somebody looked at its signal", async () => {
  const looks: Interceptor = (next) => (request) => {
    assert.equal(request.signal.aborted, false);
    return next(request);
  };
  const twice: Interceptor = (next) => async (request) => {
    const first = next(request);
    const second = next({ ...request, metadata: request.metadata });
    return Promise.any([first, second]);
  };
  for (const interceptors of [[twice], [looks, twice], [twice, looks]]) {
    const controller = new AbortController();
    let started = 0;
    let ended = 0;
    let tell = (): void => undefined;
    const both = new Promise<void>((resolve) => {
      tell = resolve;
    });
    await using pair = echoPair(
      {
        say: (_request, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              reject(signal.reason);
              ended++;
              if (ended === 2) {
                tell();
              }
            });
            started++;
            if (started === 2) {
              controller.abort();
            }
          }),
      },
      { client: { interceptors } },
    );
    await assert.rejects(pair.client.say({}, { signal: controller.signal, timeoutMs: 3_600_000 }), {
      code: Code.Canceled,
    });
    await both;
    assertNoListeners(controller.signal);
  }
  await noTimers();
});

test("a request has its signal when it is spread, picked from, or asked late", async () => {
  const seen: AbortSignal[] = [];
  const spread: Interceptor = (next) => (request) => next({ ...request });
  const pick: Interceptor = (next) => (request) => {
    const { signal } = request;
    seen.push(signal);
    return next({ ...request, signal: AbortSignal.any([signal]) });
  };
  const late: Interceptor = (next) => async (request) => {
    try {
      return await next(request);
    } finally {
      seen.push(request.signal);
    }
  };
  const hold: Interceptor = () => () => new Promise(() => undefined);
  await using pair = echoPair(undefined, { client: { interceptors: [late, spread, pick, spread] } });
  assert.equal((await pair.client.say({ sentence: "x" })).sentence, "x");
  assert.equal(seen[0], seen[1]);
  await using held = echoPair(undefined, { client: { interceptors: [late, hold] } });
  await assert.rejects(held.client.say({}, { timeoutMs: 5 }), { code: Code.DeadlineExceeded });
});
