// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Code,
  type HandlerContext,
  type ServeOptions,
  type SessionTransportOptions,
  type Transport,
} from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import { encodeBase64 } from "../../src/wire/base64.js";
import { Kind } from "../../src/wire/kind.js";
import { encodeSettings } from "../../src/wire/settings-payload.js";
import { dialRawServer, frame, invoke, serveRawClient } from "../raw-peer.js";

function connect(options: SessionTransportOptions & ServeOptions = {}): {
  transport: Transport;
  client: EchoServiceClient;
  handler: EchoHandler;
} {
  const handler = new EchoHandler();
  const transport = createRouterTransport((router) => registerEchoService(router, handler), {
    client: options,
    server: options,
  });
  return { transport, client: createEchoServiceClient(transport), handler };
}

/** Counts what it gives, until it is told to stop. */
class Source implements AsyncIterable<{ sentence: string; attachment: Uint8Array }> {
  given = 0;
  readonly #bytes: number;
  readonly #limit: number;

  constructor(bytes: number, limit: number = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<{ sentence: string; attachment: Uint8Array }> {
    while (this.given < this.#limit) {
      this.given++;
      yield { sentence: String(this.given), attachment: new Uint8Array(this.#bytes) };
    }
  }
}

/** Waits until a source has not given anything for several turns of the event loop in a row: its reader makes it wait. */
async function stalled(source: Source): Promise<number> {
  let quiet = 0;
  for (let before = -1; quiet < 20; before = source.given) {
    quiet = source.given === before ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return source.given;
}

test("a slow reader makes send wait, in both directions, and then goes on where it was", async () => {
  const { transport, client } = connect({ windowBytes: 200_000 });
  await client.say({ sentence: "warm" });
  const source = new Source(10_000, 500);
  const replies = client.chat(source)[Symbol.asyncIterator]();
  await replies.next();
  const given = await stalled(source);
  // Two windows, which are small while nobody has read, what the two sides have at hand, and not a byte more.
  assert.ok(given > 4 && given < 60, `${given} messages were taken from the source`);
  for (let count = 2; count <= 500; count++) {
    assert.equal((await replies.next()).value?.sentence, String(count));
  }
  assert.equal((await replies.next()).done, true);
  await transport.close();
});

test("1 of 100 streams that is never read does not slow the others", async () => {
  const { transport, client } = connect({ windowBytes: 100_000 });
  const source = new Source(10_000);
  // It is the first call too, which begins before the two sides know each other.
  const never = client.chat(source)[Symbol.asyncIterator]();
  const others = Array.from({ length: 99 }, async () => {
    let count = 0;
    for await (const { attachment } of client.repeat({ sentence: "x", times: 50, attachment: new Uint8Array(5_000) })) {
      count += attachment.length;
    }
    return count;
  });
  assert.deepEqual(new Set(await Promise.all(others)), new Set([250_000]));
  const given = await stalled(source);
  assert.ok(given < 150, `${given} messages were taken from the source`);
  await never.return?.();
  await transport.close();
});

test("messages larger than the window pass, in all kinds of calls", async () => {
  const { transport, client } = connect({ windowBytes: 1_000 });
  const attachment = new Uint8Array(300_000).fill(7);
  for (let round = 0; round < 2; round++) {
    assert.equal((await client.say({ sentence: "a", attachment })).attachment.length, 300_000);
    let count = 0;
    for await (const reply of client.repeat({ sentence: "a", times: 5, attachment })) {
      assert.equal(reply.attachment.length, 300_000);
      count++;
    }
    assert.equal(count, 5);
    const sentences: string[] = [];
    for await (const { sentence } of client.chat(new Source(100_000, 5))) {
      sentences.push(sentence);
    }
    assert.deepEqual(sentences, ["1", "2", "3", "4", "5"]);
    assert.equal((await client.join(new Source(100_000, 5))).sentence, "1 2 3 4 5");
  }
  await transport.close();
});

test("many empty messages spend the window too", async () => {
  const { transport, client } = connect({ windowBytes: 6_400 });
  await client.say({ sentence: "warm" });
  let given = 0;
  const replies = client
    .chat(
      (async function* () {
        for (;;) {
          given++;
          yield {};
        }
      })(),
    )
    [Symbol.asyncIterator]();
  await replies.next();
  for (let turn = 0; turn < 50; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.ok(given < 1_000, `${given} messages were taken from the source`);
  await replies.return?.();
  await transport.close();
});

test("a sender that waits for credit is woken by cancel, by error, by close and by the end (checklist 81)", async () => {
  const { transport, client, handler } = connect({ windowBytes: 1_000 });
  await client.say({ sentence: "warm" });
  const controller = new AbortController();
  const source = new Source(5_000);
  const replies = client.chat(source, { signal: controller.signal })[Symbol.asyncIterator]();
  await stalled(source);
  controller.abort();
  await assert.rejects(replies.next(), { code: Code.Canceled });
  const at = source.given;
  assert.equal(await stalled(source), at);

  handler.join = async () => ({ sentence: "heard enough" });
  const joining = new Source(5_000);
  assert.equal((await client.join(joining)).sentence, "heard enough");
  const stopped = joining.given;
  assert.equal(await stalled(joining), stopped);
  await transport.close();
});

test("a peer that ignores its window fails its own stream only, with an error that names the limit", async () => {
  const { peer } = serveRawClient(
    (router) =>
      registerEchoService(router, {
        say: ({ sentence }) => ({ sentence }),
        join: () => new Promise(() => undefined),
      }),
    { windowBytes: 10_000, maxMessageBytes: 50_000 },
  );
  const announcement = encodeSettings({
    version: 1,
    windowBytes: 1,
    maxMessageBytes: 1_000,
    maxConcurrentStreams: 0,
    connectionWindowBytes: 0,
    compressions: 0,
  });
  peer.write(invoke(1, "/echo.v1.EchoService/Say", { "ts-drpc": encodeBase64(announcement, "url") }));
  await peer.frame(Kind.Settings, 1);
  peer.write(frame(Kind.Settings, 1, 3, announcement), frame(Kind.Message, 1, 4), frame(Kind.CloseSend, 1, 5));
  peer.write(invoke(2, "/echo.v1.EchoService/Join"));
  for (let message = 2; message < 10; message++) {
    peer.write(frame(Kind.Message, 2, message, new Uint8Array(10_000)));
  }
  const { data } = await peer.frame(Kind.Error, 2);
  assert.equal(data[7], 8);
  assert.match(
    Buffer.from(data.subarray(8)).toString(),
    /the peer sent 60384 bytes that were not read yet, the limit windowBytes is 10000/,
  );
  peer.write(invoke(3, "/echo.v1.EchoService/Say"), frame(Kind.Message, 3, 2), frame(Kind.CloseSend, 3, 3));
  await peer.frame(Kind.CloseSend, 3);
});

test("the acknowledgement gets through behind more than a window of unread messages, and the connection multiplexes", async () => {
  const { peer } = serveRawClient(
    (router) =>
      registerEchoService(router, { say: ({ sentence }) => ({ sentence }), join: () => new Promise(() => undefined) }),
    // More than half of what may be held, too: all that the client sends lies behind what nobody reads.
    { windowBytes: 10_000, maxMessageBytes: 10_000, maxBufferedBytes: 1_200_000 },
  );
  const announcement = encodeSettings({
    version: 1,
    windowBytes: 1_000,
    maxMessageBytes: 1_000,
    maxConcurrentStreams: 0,
    connectionWindowBytes: 0,
    compressions: 0,
  });
  peer.write(invoke(1, "/echo.v1.EchoService/Join", { "ts-drpc": encodeBase64(announcement, "url") }));
  // Sent before the client knew of any window.
  for (let message = 3; message < 103; message++) {
    peer.write(frame(Kind.Message, 1, message, new Uint8Array(10_000)));
  }
  peer.write(frame(Kind.Settings, 1, 103, announcement));
  peer.write(invoke(2, "/echo.v1.EchoService/Say"), frame(Kind.Message, 2, 2), frame(Kind.CloseSend, 2, 3));
  await peer.frame(Kind.CloseSend, 2);
});

test("a first call whose reader is slow is not lost for what its server sent before it could know of a window", async () => {
  const { transport, peer } = dialRawServer({ windowBytes: 10_000, maxMessageBytes: 10_000, maxBufferedBytes: 50_000 });
  const replies = createEchoServiceClient(transport).repeat({ times: 1 })[Symbol.asyncIterator]();
  const first = replies.next();
  const raw = await peer();
  await raw.frame(Kind.Invoke, 1);
  const settings = { version: 1, windowBytes: 1_000, maxMessageBytes: 1_000, maxConcurrentStreams: 8 };
  raw.write(frame(Kind.Settings, 1, 1, encodeSettings({ ...settings, connectionWindowBytes: 0, compressions: 0 })));
  for (let message = 2; message < 22; message++) {
    // A sentence of 8,996 characters.
    raw.write(
      frame(Kind.Message, 1, message, Buffer.concat([Uint8Array.of(0x0a, 0xa4, 0x46), Buffer.alloc(8_996, "a")])),
    );
  }
  raw.write(frame(Kind.CloseSend, 1, 22));
  let read = 0;
  for (let next = await first; next.done !== true; next = await replies.next()) {
    read++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(read, 20);
  await transport.close({ drainMs: 0 });
});

test("a handler that has left its requests does not hold up their sender, though others have taken all the room", async () => {
  const options = { maxMessageBytes: 100_000, windowBytes: 100_000, maxBufferedBytes: 400_000 };
  const handlers = {
    say: ({ sentence }: { sentence: string }) => ({ sentence }),
    join: (_requests: unknown, { signal }: HandlerContext) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    async *chat(requests: AsyncIterable<{ sentence: string }>, { signal }: HandlerContext) {
      for await (const { sentence } of requests) {
        yield { sentence };
        break;
      }
      yield { sentence: "enough" };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  const transport = createRouterTransport((router) => registerEchoService(router, handlers), {
    client: options,
    server: options,
  });
  const client = createEchoServiceClient(transport);
  await client.say({ sentence: "warm" });
  const { signal, abort } = abortable();
  const unread = Array.from({ length: 4 }, () => new Source(90_000));
  const uploads = unread.map((source) => client.join(source, { signal }).catch(() => undefined));
  await Promise.all(unread.map(stalled));
  const source = new Source(90_000, 6);
  const replies = client.chat(source)[Symbol.asyncIterator]();
  assert.equal((await replies.next()).value?.sentence, "1");
  assert.equal((await replies.next()).value?.sentence, "enough");
  await stalled(source);
  assert.equal(source.given, 6);
  await replies.return?.();
  abort();
  await Promise.all(uploads);
  await transport.close({ drainMs: 0 });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
