// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, DrpcError } from "@ts-drpc/core";
import type { EchoServiceHandler } from "@ts-drpc-internal/fixtures";
import { type EchoPair, each, echoPair, sentences, withoutUnhandled } from "./harness.js";

const replies = ({ client }: EchoPair): Promise<string[]> => sentences(client.repeat({ sentence: "x" }));

async function onlyFailure(
  handler: Partial<EchoServiceHandler>,
  call: (pair: EchoPair) => Promise<unknown>,
): Promise<{ error: DrpcError; told: unknown[] }> {
  let error: DrpcError | undefined;
  let told: unknown[] = [];
  await withoutUnhandled(async () => {
    await using pair = echoPair({ say: ({ sentence }) => ({ sentence }), ...handler });
    await call(pair).catch((reason: DrpcError) => {
      error = reason;
    });
    assert.ok(error instanceof DrpcError, "the call did not fail");
    // The connection, and its slot, are as before.
    assert.equal((await pair.client.say({ sentence: "still" })).sentence, "still");
    assert.equal(pair.served.length, 1);
    told = pair.errors;
  });
  return { error: error as unknown as DrpcError, told };
}

for (const [what, returned] of [
  ["undefined", undefined],
  ["null", null],
  ["a number", 7],
  ["a plain object", {}],
  ["a promise of nothing", Promise.resolve()],
  ["an iterable whose iterator is undefined", { [Symbol.asyncIterator]: () => undefined }],
  [
    "an iterable that throws",
    {
      [Symbol.asyncIterator]: () => {
        throw new Error("no iterator");
      },
    },
  ],
  ["an iterator whose next is no function", { [Symbol.asyncIterator]: () => ({ next: 7 }) }],
  [
    "an iterator whose next throws",
    {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          throw new Error("no next");
        },
      }),
    },
  ],
  ["an iterator whose next gives undefined", { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) }],
] as const) {
  test(`a streaming handler that returns ${what} fails its call alone`, async () => {
    const { error, told } = await onlyFailure({ repeat: () => returned as never }, replies);
    assert.equal(error.code, Code.Unknown);
    assert.equal(told.length, 1);
  });
}

for (const [what, message] of [
  ["undefined", undefined],
  ["null", null],
  ["a string", "text"],
  ["a field of the wrong type", { attachment: "text" }],
] as const) {
  test(`a handler that yields, or returns, ${what} as a message fails its call alone`, async () => {
    const streamed = await onlyFailure(
      {
        async *repeat() {
          yield { sentence: "first" };
          yield message as never;
        },
      },
      replies,
    );
    assert.equal(streamed.error.code, Code.Unknown);
    assert.match(String(streamed.told[0]), /TypeError: \/echo.v1.EchoService\/Repeat: the handler's response/);
    const joined = await onlyFailure({ join: async () => message as never }, ({ client }) => client.join(each()));
    assert.equal(joined.error.code, Code.Unknown);
    assert.match(String(joined.told[0]), /TypeError: \/echo.v1.EchoService\/Join: the handler's response/);
  });
}

test("a thenable that throws, calls back twice, or has a getter that throws is as any other failure", async () => {
  for (const thenable of [
    {
      then() {
        throw new Error("no");
      },
    },
    {
      then(_: unknown, reject: (reason: unknown) => void) {
        reject(new Error("one"));
        reject(new Error("two"));
      },
    },
    {
      get then() {
        throw new Error("no");
      },
    },
  ]) {
    const { error } = await onlyFailure({ join: () => thenable as never }, ({ client }) => client.join(each()));
    assert.equal(error.code, Code.Unknown);
  }
});

test("a handler that throws in its finally block, when its caller leaves, harms nobody", async () => {
  await withoutUnhandled(async () => {
    let finished = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      finished = resolve;
    });
    await using pair = echoPair({
      say: ({ sentence }) => ({ sentence }),
      async *repeat({ sentence }, { signal }) {
        try {
          yield { sentence };
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          yield { sentence: "too late" };
        } finally {
          finished();
          // biome-ignore lint/correctness/noUnsafeFinally: this is what the test is about
          throw new Error("in finally");
        }
      },
    });
    for await (const _ of pair.client.repeat({})) {
      break;
    }
    await done;
    await pair.client.say({});
  });
});

test("an iterator whose return() throws, or rejects, harms nobody", async () => {
  for (const leave of [
    () => {
      throw new Error("no return");
    },
    () => Promise.reject(new Error("no return")),
  ]) {
    await withoutUnhandled(async () => {
      let count = 0;
      await using pair = echoPair({
        say: ({ sentence }) => ({ sentence }),
        repeat: () => ({
          [Symbol.asyncIterator]: () => ({
            next: async () => ({ done: false, value: { sentence: String(count++) } }),
            return: leave as never,
          }),
        }),
      });
      for await (const _ of pair.client.repeat({})) {
        break;
      }
      await pair.client.say({});
    });
  }
});

test("a handler that ignores its signal keeps its place until it has cleaned up", async () => {
  const release: (() => void)[] = [];
  const cleanUp: (() => void)[] = [];
  const hold = (list: (() => void)[]): Promise<void> => new Promise((resolve) => list.push(resolve));
  await using pair = echoPair(
    {
      say: ({ sentence }) => ({ sentence }),
      async *repeat({ sentence }) {
        try {
          yield { sentence };
          await hold(release);
          yield { sentence };
        } finally {
          await hold(cleanUp);
        }
      },
    },
    { server: { maxConcurrentStreams: 1 }, client: { maxConnections: 1, peer: "multiplexed" } },
  );
  for await (const _ of pair.client.repeat({})) {
    break;
  }
  const refused = { code: Code.ResourceExhausted, message: /maxConcurrentStreams is 1/ };
  await assert.rejects(pair.client.say({}), refused);
  release[0]?.();
  await assert.rejects(pair.client.say({}), refused);
  cleanUp[0]?.();
  await pair.client.say({});
});

test("a unary handler that never settles is aborted when its caller leaves, and what it answers later is not sent", async () => {
  const settle: (() => void)[] = [];
  await using pair = echoPair({
    say: ({ sentence }) =>
      sentence === "x" ? new Promise((resolve) => settle.push(() => resolve({ sentence: "late" }))) : { sentence },
  });
  const controller = new AbortController();
  const call = pair.client.say({ sentence: "x" }, { signal: controller.signal });
  while (settle.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  controller.abort();
  await assert.rejects(call, { code: Code.Canceled });
  settle[0]?.();
  assert.equal((await pair.client.say({ sentence: "y" })).sentence, "y");
});

test("a handler that stops reading and answers is heard, and the requests' iterator is told", async () => {
  let left = false;
  await using pair = echoPair({
    say: ({ sentence }) => ({ sentence }),
    async join(requests) {
      for await (const { sentence } of requests) {
        return { sentence };
      }
      return {};
    },
  });
  const { sentence } = await pair.client.join(
    (async function* () {
      try {
        for (;;) {
          yield { sentence: "first" };
        }
      } finally {
        left = true;
      }
    })(),
  );
  assert.equal(sentence, "first");
  await pair.client.say({});
  assert.equal(left, true);
});

const brand = Symbol.for("ts-drpc.DrpcError");

/** Values that throw, or lie, when somebody looks at what was thrown. */
const hostileReasons: readonly (readonly [what: string, make: () => unknown])[] = [
  [
    "a revoked proxy",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
  [
    "a proxy that throws whenever it is asked",
    () =>
      new Proxy(
        {},
        {
          has() {
            throw new Error("has");
          },
          get() {
            throw new Error("get");
          },
        },
      ),
  ],
  [
    "an error with the brand of a DrpcError and nothing else",
    () => Object.assign(new Error("half"), { [brand]: true }),
  ],
  ["an error whose code is no number", () => Object.assign(new Error("x"), { [brand]: true, code: "a", wireCode: 1 })],
];

for (const [what, make] of hostileReasons) {
  test(`a handler that throws ${what} fails its call alone, at once or later, in a message or a stream`, async () => {
    for (const say of [
      () => {
        throw make();
      },
      async () => {
        throw make();
      },
    ]) {
      const { error, told } = await onlyFailure(
        {
          repeat: async function* () {
            yield* [];
            throw make();
          },
          join: say,
        },
        ({ client }) => client.join(each("x")),
      );
      assert.equal(error.code, Code.Unknown);
      assert.equal(told.length, 1);
    }
    const { error } = await onlyFailure(
      {
        repeat: async function* () {
          yield { sentence: "x" };
          throw make();
        },
      },
      replies,
    );
    assert.equal(error.code, Code.Unknown);
  });
}

test("an onError that rejects brings nothing down", async (t) => {
  const complaint = t.mock.method(console, "error", () => undefined);
  await withoutUnhandled(async () => {
    await using pair = echoPair(
      {
        say: () => {
          throw new Error("bug");
        },
      },
      { server: { onError: (async () => Promise.reject(new Error("of its own"))) as never } },
    );
    await assert.rejects(pair.client.say({}), { code: Code.Unknown });
    await new Promise(setImmediate);
  });
  assert.match(String(complaint.mock.calls[0]?.arguments[0]), /onError threw/);
});

test("an error whose detail cannot be encoded comes to the caller without it", async () => {
  const details = [{ desc: DurationSchema, value: { seconds: "none" as unknown as bigint } }];
  const failing = {
    say() {
      throw new DrpcError("no", Code.Aborted, {
        details: [...details, { desc: DurationSchema, value: { seconds: 2n } }],
      });
    },
    async *repeat() {
      yield {};
      throw new DrpcError("no", Code.Aborted, { details });
    },
  };
  await withoutUnhandled(async () => {
    await using pair = echoPair(failing);
    await assert.rejects(pair.client.say({}), (error: DrpcError) => {
      assert.deepEqual([error.code, error.rawMessage, error.details.length], [Code.Aborted, "no", 1]);
      return true;
    });
    await assert.rejects(replies(pair), { code: Code.Aborted, rawMessage: "no", details: [] });
  });
});
