// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import type { Interceptor, MessageCompression, SessionTransportOptions } from "@ts-drpc/core";
import { assertUsable, each, echoPair, sentences } from "./harness.js";

/** A compression that counts what it does. */
function counting(compression: MessageCompression): MessageCompression & { compressed: number; decompressed: number } {
  const counted = {
    ...compression,
    compressed: 0,
    decompressed: 0,
    compress: (message: Uint8Array) => {
      counted.compressed++;
      return compression.compress(message);
    },
    decompress: (body: Uint8Array, maxMessageBytes: number) => {
      counted.decompressed++;
      return compression.decompress(body, maxMessageBytes);
    },
  };
  return counted;
}

for (const { name, peer } of [
  { name: "snappy", peer: "multiplexed" },
  { name: "snappy", peer: "auto" },
  { name: "minlz-fastest", peer: "multiplexed" },
  { name: "minlz-fastest", peer: "auto" },
] as const) {
  test(`calls of all kinds work with ${name} towards a peer that is ${peer}`, async () => {
    const client = counting(name === "snappy" ? snappy : minlz);
    const server = counting(name === "snappy" ? snappy : minlz);
    await using pair = echoPair(undefined, {
      client: { compression: client, peer },
      server: { compressions: [server] },
    });
    await pair.client.say({ sentence: "who are you?" });
    const first = peer === "auto" ? 0 : 1;
    assert.deepEqual([client.compressed, client.decompressed], [first, first]);
    const long = "over and ".repeat(30_000);
    assert.equal((await pair.client.say({ sentence: long })).sentence, long);
    assert.deepEqual(await sentences(pair.client.repeat({ sentence: long, times: 3 })), [long, long, long]);
    assert.equal((await pair.client.join(each("a", long))).sentence, `a ${long}`);
    assert.deepEqual(await sentences(pair.client.chat(each("", long, "b"))), ["", long, "b"]);
    assert.deepEqual([client.compressed, client.decompressed], [first + 1 + 1 + 2 + 3, first + 1 + 3 + 1 + 3]);
    assert.deepEqual([server.decompressed, server.compressed], [client.compressed, client.decompressed]);
  });
}

test("a server without compressions serves a client that would compress, if that finds out first", async () => {
  await using pair = echoPair(undefined, { client: { compression: snappy } });
  await pair.client.say({ sentence: "who are you?" });
  await assertUsable(pair);
});

test("interceptors see messages as they are, and neither side's metadata has the key", async () => {
  const seen: unknown[] = [];
  const watch =
    (side: string): Interceptor =>
    (next) =>
    async (request) => {
      seen.push([side, [...request.metadata.keys()], request.stream ? undefined : request.message]);
      return next(request);
    };
  const options: SessionTransportOptions = { compression: minlz, peer: "multiplexed", interceptors: [watch("client")] };
  await using pair = echoPair(undefined, {
    client: options,
    server: { compressions: [minlz], interceptors: [watch("server")] },
  });
  await pair.client.say({ sentence: "hi" }, { metadata: { mine: "yes" } });
  assert.deepEqual(
    (seen as [string, string[], { sentence: string }][]).map(([side, keys, { sentence }]) => [side, keys, sentence]),
    [
      ["client", ["mine"], "hi"],
      ["server", ["mine"], "hi"],
    ],
  );
});
