// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createSessionTransport, DrpcError, PushStream } from "@ts-drpc/core";
import { createEchoServiceClient } from "@ts-drpc-internal/fixtures";
import { assertUsable, echoPair, sentences, withoutUnhandled } from "./harness.js";

type Request = { sentence: string };

/** Requests that note whether their iterator was told to return. */
class Requests implements AsyncIterable<Request> {
  returned = false;
  readonly #next: () => Promise<IteratorResult<Request>>;

  constructor(next: () => Promise<IteratorResult<Request>>) {
    this.#next = next;
  }

  [Symbol.asyncIterator](): AsyncIterator<Request> {
    return {
      next: this.#next,
      return: async () => {
        this.returned = true;
        return { done: true, value: undefined };
      },
    };
  }
}

const one = (): Promise<IteratorResult<Request>> => Promise.resolve({ done: false, value: { sentence: "one" } });
const never = (): Promise<never> => new Promise(() => undefined);

for (const [what, reason, code] of [
  ["an Error", new Error("disk full"), Code.Unknown],
  ["a DrpcError", new DrpcError("not yours", Code.PermissionDenied), Code.PermissionDenied],
  ["an AbortError", new DOMException("stop", "AbortError"), Code.Canceled],
  ["undefined", undefined, Code.Unknown],
] as const) {
  test(`requests that throw ${what} fail their call with it, and cancel it`, async () => {
    await withoutUnhandled(async () => {
      let tell: (reason: unknown) => void = () => undefined;
      const aborted = new Promise<unknown>((resolve) => {
        tell = resolve;
      });
      let first = true;
      await using pair = echoPair({
        say: ({ sentence }) => ({ sentence }),
        async join(requests, { signal }) {
          signal.addEventListener("abort", () => tell(signal.reason));
          return { sentence: (await sentences(requests)).join(" ") };
        },
        async *chat(requests, { signal }) {
          signal.addEventListener("abort", () => tell(signal.reason));
          for await (const { sentence } of requests) {
            yield { sentence };
          }
        },
      });
      const requests = async function* (): AsyncGenerator<Request> {
        yield { sentence: "one" };
        throw reason;
      };
      const call = pair.client.join(requests());
      await assert.rejects(
        call,
        (error: DrpcError) =>
          error instanceof DrpcError && error.code === code && (error === reason || error.cause === reason),
      );
      first = false;
      assert.ok((await aborted) instanceof DrpcError);
      await assert.rejects(sentences(pair.client.chat(requests())), { code });
      await pair.client.say({});
      assert.equal(first, false);
      assert.deepEqual(pair.errors, []);
    });
  });
}

test("the iterator of the requests is told to return when the call ends, however it ends", async () => {
  const handlers = {
    say: ({ sentence }: Request) => ({ sentence }),
    join: async () => ({ sentence: "enough" }),
    async *chat(requests: AsyncIterable<Request>) {
      for await (const { sentence } of requests) {
        yield { sentence };
        throw new DrpcError("no more", Code.Aborted);
      }
    },
  };
  await using pair = echoPair(handlers);
  const answered = new Requests(one);
  assert.equal((await pair.client.join(answered)).sentence, "enough");
  assert.equal(answered.returned, true);

  const failed = new Requests(one);
  await assert.rejects(sentences(pair.client.chat(failed)), { code: Code.Aborted });
  assert.equal(failed.returned, true);

  const controller = new AbortController();
  const canceled = new Requests(never);
  const call = sentences(pair.client.chat(canceled, { signal: controller.signal }));
  await pair.client.say({});
  controller.abort();
  await assert.rejects(call, { code: Code.Canceled });
  assert.equal(canceled.returned, true);

  const abandoned = new Requests(never);
  await pair.client.chat(abandoned)[Symbol.asyncIterator]().return?.();
  assert.equal(abandoned.returned, true);

  const lost = new Requests(never);
  const losing = sentences(pair.client.chat(lost));
  await pair.client.say({});
  pair.connections[0]?.client.abort();
  await assert.rejects(losing, { code: Code.Unavailable });
  assert.equal(lost.returned, true);
});

test("requests whose iterator misbehaves fail their call alone", async () => {
  await withoutUnhandled(async () => {
    await using pair = echoPair();
    for (const requests of [
      undefined,
      7,
      {},
      { [Symbol.asyncIterator]: () => undefined },
      { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) },
      {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw new Error("no");
          },
          return: () => {
            throw new Error("no");
          },
        }),
      },
      {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error("no")),
          return: () => Promise.reject(new Error("no")),
        }),
      },
    ]) {
      await assert.rejects(pair.client.join(requests as never), { name: "DrpcError" });
      await assert.rejects(sentences(pair.client.chat(requests as never)), { name: "DrpcError" });
      await assertUsable(pair);
    }
  });
});

test("requests that cannot be asked to return are left alone", async () => {
  await using pair = echoPair({ join: async () => ({}), say: () => ({}) });
  await pair.client.join({ [Symbol.asyncIterator]: () => ({ next: one }) });
  await pair.client.say({});
});

test("requests are taken no faster than the peer takes them", async () => {
  await using pair = echoPair({ join: never, say: () => ({}) });
  await pair.client.say({});
  let given = 0;
  const controller = new AbortController();
  const requests = async function* (): AsyncGenerator<{ attachment: Uint8Array }> {
    for (;;) {
      given++;
      yield { attachment: new Uint8Array(100_000) };
    }
  };
  const call = pair.client.join(requests(), { signal: controller.signal });
  for (let before = -1; before !== given; ) {
    before = given;
    await pair.client.say({});
  }
  assert.ok(given < 30, `${given} requests of 100 kB were taken`);
  controller.abort();
  await assert.rejects(call);
});

test("a PushStream: sends wait until they are taken, in order, and the end comes behind them", async () => {
  const stream = new PushStream<number>();
  const sent: number[] = [];
  const sending = [1, 2, 3].map((value) => stream.send(value).then(() => sent.push(value)));
  stream.close();
  assert.deepEqual(sent, []);
  assert.deepEqual(await stream.next(), { done: false, value: 1 });
  await sending[0];
  assert.deepEqual(sent, [1]);
  const taken: number[] = [];
  for await (const value of stream) {
    taken.push(value);
  }
  assert.deepEqual(taken, [2, 3]);
  await assert.rejects(stream.send(4), { message: /the stream is closed/ });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("a PushStream that fails gives what was pushed, then the reason once", async () => {
  const stream = new PushStream<number>();
  const reason = new Error("no more");
  const sent = stream.send(1);
  stream.fail(reason);
  assert.equal((await stream.next()).value, 1);
  await sent;
  await assert.rejects(stream.next(), reason);
  assert.equal((await stream.next()).done, true);
  await assert.rejects(stream.send(2));
});

test("a PushStream whose reader leaves rejects what waits, and readers that wait are told of the end", async () => {
  const stream = new PushStream<number>();
  const waiting = stream.send(1);
  await stream.return();
  await assert.rejects(waiting, { message: /the reader left/ });
  const other = new PushStream<number>();
  const reads = [other.next(), other.next()];
  await other.send(1);
  other.close();
  assert.deepEqual(await Promise.all(reads), [
    { done: false, value: 1 },
    { done: true, value: undefined },
  ]);
});

test("a PushStream whose reader throws into it ends, as a generator does, and tells the sender why", async () => {
  const stream = new PushStream<number>();
  const waiting = stream.send(1);
  const reason = new Error("the reader has had enough");
  await assert.rejects(stream.throw(reason), reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(stream.send(2), reason);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  async function* through(): AsyncGenerator<number> {
    yield* other;
  }
  const other = new PushStream<number>();
  const generator = through();
  const sent = other.send(1);
  assert.deepEqual(await generator.next(), { done: false, value: 1 });
  await sent;
  await assert.rejects(generator.throw(reason), reason);
  await assert.rejects(other.send(2), reason);
});

test("a call that fails before it has a stream leaves the sender its error", async () => {
  const transport = createSessionTransport(async () => {
    throw new DrpcError("nobody there", Code.Unavailable);
  });
  const requests = new PushStream<Request>();
  const replies = createEchoServiceClient(transport).chat(requests);
  await assert.rejects(requests.send({ sentence: "lost" }), { code: Code.Unavailable });
  await assert.rejects(requests.send({ sentence: "late" }), { code: Code.Unavailable });
  await assert.rejects(sentences(replies), { code: Code.Unavailable, notStarted: true });
  const aborted = new PushStream<Request>();
  const call = createEchoServiceClient(transport).join(aborted, { signal: AbortSignal.abort() });
  await assert.rejects(aborted.send({ sentence: "lost" }), { code: Code.Canceled });
  await assert.rejects(call, { code: Code.Canceled });
});

test("a handler that fails leaves the sender its error", async () => {
  await using pair = echoPair({
    join: async () => {
      throw new DrpcError("no more", Code.NotFound);
    },
  });
  const requests = new PushStream<Request>();
  const call = pair.client.join(requests);
  await assert.rejects(call, { code: Code.NotFound });
  await assert.rejects(requests.send({ sentence: "late" }), { code: Code.NotFound });
});

test("requests that are none are refused by name, and a message that cannot be encoded says that its call had started", async () => {
  await using pair = echoPair();
  const wrong = 7 as unknown as AsyncIterable<Request>;
  await assert.rejects(pair.client.join(wrong), {
    code: Code.InvalidArgument,
    rawMessage: "/echo.v1.EchoService/Join: the requests must be an iterable of messages, got number",
  });
  async function* unencodable(): AsyncGenerator<Request> {
    yield { sentence: "good" };
    yield { attachment: "x" } as never;
  }
  await assert.rejects(pair.client.join(unencodable()), { code: Code.Internal, notStarted: false });
  await assert.rejects(pair.client.say({ attachment: "x" } as never), {
    code: Code.Internal,
    notStarted: true,
  });
});
