// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient, createRouter, createSessionTransport, PushStream, serveConnection } from "@ts-drpc/core";
import { createConnectionPair, createRouterTransport } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoHandler,
  EchoService,
  file_echo_v1_echo,
  registerEchoService,
  SayRequestSchema,
} from "@ts-drpc-internal/fixtures";
import { assertUsable, each, echoPair, sentences } from "./harness.js";

test("all four kinds of calls work, over pairs that cut their bytes in any way", async () => {
  for (const chunkBytes of [1, 2, 3, 7, 64, undefined]) {
    await using pair = echoPair(new EchoHandler(), { pair: { chunkBytes } });
    await assertUsable(pair);
  }
});

test("all four kinds of calls work with no message, with empty messages, and with messages of several frames", async () => {
  await using pair = echoPair();
  const { client } = pair;
  const attachment = new Uint8Array(200_000).map((_, index) => index);
  assert.equal((await client.say({})).sentence, "");
  assert.deepEqual((await client.say({ attachment })).attachment, attachment);
  assert.deepEqual(await sentences(client.repeat({ times: 0 })), []);
  assert.deepEqual(await sentences(client.repeat({ times: 3 })), ["", "", ""]);
  assert.equal((await client.join(each())).sentence, "");
  assert.deepEqual(await sentences(client.chat(each())), []);
  for await (const reply of client.chat(
    (async function* () {
      yield { attachment };
      yield {};
      yield { attachment };
    })(),
  )) {
    assert.ok(reply.attachment.length === 0 || Buffer.compare(reply.attachment, attachment) === 0);
  }
});

test("500 concurrent calls of all kinds share one connection and get the right answers", async () => {
  await using pair = echoPair();
  const { client, served } = pair;
  const calls = Array.from({ length: 500 }, async (_, index) => {
    const [one, two] = [`${index}a`, `${index}b`];
    switch (index % 4) {
      case 0:
        return assert.equal((await client.say({ sentence: one })).sentence, one);
      case 1:
        return assert.deepEqual(await sentences(client.repeat({ sentence: one, times: 3 })), [one, one, one]);
      case 2:
        return assert.equal((await client.join(each(one, two))).sentence, `${one} ${two}`);
      default:
        return assert.deepEqual(await sentences(client.chat(each(one, two))), [one, two]);
    }
  });
  await Promise.all(calls);
  assert.equal(served.length, 1);
});

test("a conversation goes back and forth, and a PushStream gives its requests", async () => {
  await using pair = echoPair();
  const requests = new PushStream<{ sentence: string }>();
  const replies = pair.client.chat(requests)[Symbol.asyncIterator]();
  for (let round = 0; round < 20; round++) {
    await requests.send({ sentence: String(round) });
    assert.equal((await replies.next()).value?.sentence, String(round));
  }
  requests.close();
  assert.equal((await replies.next()).done, true);
});

test("a handler can answer with a PushStream, and be pushed back", async () => {
  const responses = new PushStream<{ sentence: string }>();
  await using pair = echoPair({ repeat: () => responses });
  const replies = pair.client.repeat({})[Symbol.asyncIterator]();
  const sent = responses.send({ sentence: "one" });
  assert.equal((await replies.next()).value?.sentence, "one");
  await sent;
  await replies.return?.();
  await assert.rejects(async () => {
    for (;;) {
      await responses.send({ sentence: "two" });
    }
  });
});

test("a class of handlers is called with the right this, and so is one that is a plain object", async () => {
  class Counting extends EchoHandler {
    #calls = 0;
    override say(): { sentence: string; attachment: Uint8Array } {
      this.#calls++;
      return { sentence: String(this.#calls), attachment: new Uint8Array(0) };
    }
    override async *repeat(): AsyncGenerator<{ sentence: string; attachment: Uint8Array }> {
      yield this.say();
    }
    override async join(): Promise<{ sentence: string }> {
      return this.say();
    }
    override async *chat(): AsyncGenerator<{ sentence: string; attachment: Uint8Array }> {
      yield this.say();
    }
  }
  await using pair = echoPair(new Counting());
  assert.equal((await pair.client.say({})).sentence, "1");
  assert.deepEqual(await sentences(pair.client.repeat({})), ["2"]);
  assert.equal((await pair.client.join(each())).sentence, "3");
  assert.deepEqual(await sentences(pair.client.chat(each())), ["4"]);
});

test("functions of a client can be detached from it, and a streaming call starts before its responses are asked for", async () => {
  await using pair = echoPair();
  const { say, repeat } = pair.client;
  const responses = repeat({ sentence: "x", times: 1 });
  assert.equal((await say({ sentence: "y" })).sentence, "y");
  assert.deepEqual(await sentences(responses), ["x"]);
});

test("createClient(service, transport) needs the descriptor alone", async () => {
  const transport = createRouterTransport((router) => registerEchoService(router, new EchoHandler()));
  const client = createClient(EchoService, transport);
  assert.equal((await client.say({ sentence: "hi" })).sentence, "hi");
  await transport.close();
});

test("a client and a server work with descriptors that were made at run time", async () => {
  const proto = create(FileDescriptorProtoSchema, file_echo_v1_echo.proto);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [proto] }));
  const service = registry.getService("echo.v1.EchoService");
  assert.ok(service !== undefined && service !== (EchoService as object));
  const router = createRouter();
  router.service(service, new EchoHandler() as object);
  const { client, server } = createConnectionPair();
  serveConnection(server, router);
  const transport = createSessionTransport(async () => client);
  const dynamic = createClient(service, transport) as unknown as Record<
    string,
    (request: object) => Promise<{ sentence: string }>
  >;
  assert.equal((await dynamic["say"]?.({ sentence: "hi" }))?.sentence, "hi");
  const known = createEchoServiceClient(transport);
  assert.equal((await known.say({ sentence: "hi" })).sentence, "hi");
  assert.ok(toBinary(SayRequestSchema, create(SayRequestSchema, { sentence: "hi" })).length > 0);
  await transport.close();
});

test("many calls one after the other leave nothing behind", async () => {
  await using pair = echoPair();
  for (let round = 0; round < 100; round++) {
    await assertUsable(pair);
  }
  assert.deepEqual(pair.errors, []);
});
