// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError, type HandlerContext, type Interceptor } from "@ts-drpc/core";
import { useFakeTime } from "./fake-server.js";
import { assertNoListeners, assertUsable, type EchoPair, each, echoPair, noTimers, sentences } from "./harness.js";

/** Waits for a promise that a handler resolves, and gives the function that does. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A pair whose handlers tell when they run, wait until their signal aborts, and tell that too. */
function waitingPair(): EchoPair & { readonly running: Promise<void>; readonly aborted: Promise<unknown> } {
  const running = gate();
  let tell: (reason: unknown) => void = () => undefined;
  const aborted = new Promise<unknown>((resolve) => {
    tell = resolve;
  });
  const wait = async ({ signal }: HandlerContext): Promise<never> => {
    running.open();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    tell(signal.reason);
    throw signal.reason;
  };
  const usable = ["still", "here", "a", "c"];
  const pair = echoPair({
    say: ({ sentence }, context) => (usable.includes(sentence) ? { sentence } : wait(context)),
    async *repeat({ sentence, times }, context) {
      for (let count = 0; count < times; count++) {
        yield { sentence };
      }
      if (!usable.includes(sentence)) {
        await wait(context);
      }
    },
    async join(requests, context) {
      const all: string[] = [];
      for await (const { sentence } of requests) {
        all.push(sentence);
      }
      return usable.includes(all[0] ?? "") ? { sentence: all.join(" ") } : wait(context);
    },
    async *chat(requests, context) {
      let first: string | undefined;
      for await (const { sentence } of requests) {
        first ??= sentence;
        yield { sentence };
      }
      if (!usable.includes(first ?? "")) {
        await wait(context);
      }
    },
  });
  return Object.assign(pair, { running: running.opened, aborted });
}

type Call = (pair: EchoPair, options: { signal?: AbortSignal; timeoutMs?: number }) => Promise<unknown>;

const calls: readonly (readonly [string, Call])[] = [
  ["unary", ({ client }, options) => client.say({ sentence: "x" }, options)],
  ["server-streaming", ({ client }, options) => sentences(client.repeat({ sentence: "x", times: 3 }, options))],
  ["client-streaming", ({ client }, options) => client.join(each("x", "y"), options)],
  ["bidi-streaming", ({ client }, options) => sentences(client.chat(each("x", "y"), options))],
];

for (const [kind, call] of calls) {
  test(`a signal that has aborted before keeps a ${kind} call from starting`, async () => {
    await using pair = waitingPair();
    await assertUsable(pair);
    const signal = AbortSignal.abort();
    await assert.rejects(call(pair, { signal }), { code: Code.Canceled, notStarted: true });
    assertNoListeners(signal);
    await assertUsable(pair);
  });

  test(`a signal that aborts during a ${kind} call cancels it, tells the handler, and leaves the connection usable`, async () => {
    await using pair = waitingPair();
    const controller = new AbortController();
    const result = call(pair, { signal: controller.signal });
    await pair.running;
    controller.abort();
    await assert.rejects(result, { code: Code.Canceled, notStarted: false });
    const reason = await pair.aborted;
    assert.ok(reason instanceof DrpcError && reason.code === Code.Canceled);
    assertNoListeners(controller.signal);
    await assertUsable(pair);
    assert.deepEqual(pair.errors, []);
  });

  test(`a signal that aborts after a ${kind} call changes nothing, and nobody listens to it any more`, async () => {
    await using pair = echoPair();
    const controller = new AbortController();
    for (let count = 0; count < 20; count++) {
      await call(pair, { signal: controller.signal });
    }
    assertNoListeners(controller.signal);
    controller.abort();
    await assertUsable(pair);
  });

  test(`a timeout ends a ${kind} call with DeadlineExceeded, tells the handler, and leaves no timer`, async (t) => {
    await using pair = waitingPair();
    await assertUsable(pair);
    {
      using pass = useFakeTime(t);
      const ended = assert.rejects(call(pair, { timeoutMs: 10 }), {
        code: Code.DeadlineExceeded,
        message: /timeoutMs was 10/,
      });
      await pass();
      await pair.running;
      await pass(10);
      await ended;
      const reason = await pair.aborted;
      assert.ok(reason instanceof DrpcError && [Code.DeadlineExceeded, Code.Canceled].includes(reason.code as 4));
    }
    await assertUsable(pair);
  });

  test(`a timeout of zero keeps a ${kind} call from starting`, async () => {
    await using pair = echoPair();
    await assert.rejects(call(pair, { timeoutMs: 0 }), { code: Code.DeadlineExceeded, notStarted: true });
    assert.equal(pair.served.length, 0);
  });
}

test("a call that ends before its timeout leaves no timer behind", async () => {
  {
    await using pair = echoPair();
    for (const [, call] of calls) {
      await call(pair, { timeoutMs: 3_600_000 });
    }
  }
  await noTimers();
});

const passOn: Interceptor = (next) => (request) => next(request);

test("break cancels a server-streaming and a bidi-streaming call, and tells the handler", async () => {
  for (const start of [
    ({ client }: EchoPair) => client.repeat({ sentence: "x", times: 2 }),
    ({ client }: EchoPair) => client.chat(each("x", "y")),
  ]) {
    await using pair = waitingPair();
    for await (const { sentence } of start(pair)) {
      assert.equal(sentence, "x");
      break;
    }
    await pair.running;
    const reason = await pair.aborted;
    assert.ok(reason instanceof DrpcError && reason.code === Code.Canceled);
    await assertUsable(pair);
    assert.deepEqual(pair.errors, []);
  }
});

test("leaving the responses before the first was asked for cancels too", async () => {
  for (const interceptors of [[], [passOn]]) {
    const running = gate();
    const aborted = gate();
    await using pair = echoPair(
      {
        say: ({ sentence }) => ({ sentence }),
        async *repeat(_request, { signal }) {
          running.open();
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
          aborted.open();
        },
      },
      { client: { interceptors } },
    );
    const responses = pair.client.repeat({})[Symbol.asyncIterator]();
    await running.opened;
    await responses.return?.();
    await aborted.opened;
    assert.equal((await responses.next()).done, true);
    await pair.client.say({});
  }
});

test("the reason of a signal decides the code: a TimeoutError is DeadlineExceeded, a DrpcError comes through", async () => {
  for (const [reason, code] of [
    [new DOMException("too slow", "TimeoutError"), Code.DeadlineExceeded],
    [new DOMException("stop", "AbortError"), Code.Canceled],
    [new DrpcError("mine", Code.Canceled), Code.Canceled],
    [new DrpcError("of another call", Code.NotFound), Code.Canceled],
    [undefined, Code.Canceled],
    ["text", Code.Canceled],
  ] as const) {
    await using pair = waitingPair();
    const controller = new AbortController();
    const result = pair.client.say({ sentence: "x" }, { signal: controller.signal });
    await pair.running;
    controller.abort(reason);
    await assert.rejects(result, { code });
  }
});

test("AbortSignal.timeout is DeadlineExceeded", async () => {
  await using pair = waitingPair();
  // The timer of such a signal does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  const result = pair.client.say({ sentence: "x" }, { signal: AbortSignal.timeout(5) });
  await assert.rejects(result, { code: Code.DeadlineExceeded });
  clearInterval(alive);
});

test("one signal cancels a thousand calls at once, and is then without listeners", async () => {
  await using pair = waitingPair();
  const controller = new AbortController();
  const results = Array.from({ length: 1_000 }, (_, index) =>
    (calls[index % 4] as (typeof calls)[0])[1](pair, { signal: controller.signal }),
  );
  await pair.running;
  controller.abort();
  for (const result of await Promise.allSettled(results)) {
    assert.equal(result.status === "rejected" && result.reason.code, Code.Canceled);
  }
  assertNoListeners(controller.signal);
  await assertUsable(pair);
});

test("a call can be canceled from inside its own loop", async () => {
  await using pair = echoPair();
  const controller = new AbortController();
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const _ of pair.client.repeat({ sentence: "x", times: 100_000 }, { signal: controller.signal })) {
        count++;
        if (count === 5) {
          controller.abort();
        }
      }
    },
    { code: Code.Canceled },
  );
  assert.equal(count, 5);
  await assertUsable(pair);
});

test("a timeoutMs that is no number is refused, and Infinity is no limit", async () => {
  await using pair = echoPair();
  for (const timeoutMs of [Number.NaN, "5" as unknown as number]) {
    await assert.rejects(pair.client.say({}, { timeoutMs }), {
      name: "RangeError",
      message: /timeoutMs must be a number of milliseconds/,
    });
  }
  await pair.client.say({}, { timeoutMs: Number.POSITIVE_INFINITY });
  await pair.client.say({}, { timeoutMs: 2 ** 40 });
});
