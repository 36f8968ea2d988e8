// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata, type MetadataInit, type MetadataValue } from "@ts-drpc/core";
import { createEchoServiceClient } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { decodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { dialRawServer } from "../raw-peer.js";
import { type EchoPair, echoPair } from "./harness.js";

function notingPair(): EchoPair & { readonly seen: Metadata[] } {
  const seen: Metadata[] = [];
  const pair = echoPair({
    say: (_request, { metadata }) => {
      seen.push(metadata);
      return {};
    },
  });
  return Object.assign(pair, { seen });
}

async function roundTrip(init: MetadataInit): Promise<[string, MetadataValue][]> {
  await using pair = notingPair();
  // Between ts-drpc peers that know each other, which the first call brings about.
  await pair.client.say({});
  await pair.client.say({}, { metadata: init });
  return [...(pair.seen[1] as Metadata)];
}

test("metadata of every form comes through: objects, pairs, Metadata, empty keys and values, any characters (checklist 72)", async () => {
  const entries: [string, string][] = [
    ["a", "1"],
    ["", "empty key"],
    ["empty value", ""],
    ["Ünï", "\u{1f600}\n\0"],
    ["UPPER", "x"],
    ["__proto__", "p"],
    ["constructor", "c"],
  ];
  assert.deepEqual(await roundTrip(entries), entries);
  assert.deepEqual(await roundTrip(new Metadata(entries)), entries);
  assert.deepEqual(await roundTrip({ a: "1", b: ["2", "3"] }), [
    ["a", "1"],
    ["b", "2"],
    ["b", "3"],
  ]);
});

test("values under a key that ends in -bin are bytes, also several, and empty ones", async () => {
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  const entries: [string, Uint8Array][] = [
    ["x-bin", all],
    ["y-bin", new Uint8Array(0)],
    ["z-bin", all.subarray(0, 1)],
    ["z-bin", all.subarray(0, 2)],
  ];
  assert.deepEqual(await roundTrip(entries), entries);
});

test("to a peer that is not known to be a ts-drpc peer, several values go as one, and bytes as base64", async () => {
  const { transport, peer } = dialRawServer({ peer: "sequential" });
  void createEchoServiceClient(transport)
    .say({}, { metadata: { a: ["1", "2"], "b-bin": [Uint8Array.of(1), Uint8Array.of(2, 3)] } })
    .catch(() => undefined);
  const raw = await peer();
  const entries = decodeMetadataPayload((await raw.frame(Kind.InvokeMetadata, 1)).data);
  assert.deepEqual(entries, [
    ["a", "1, 2"],
    ["b-bin", "AQ==,AgM="],
  ]);
  raw.close();
});

test("a first call's joined -bin values are several again for the handler", async () => {
  await using pair = notingPair();
  await pair.client.say({}, { metadata: { "b-bin": [Uint8Array.of(1), Uint8Array.of(2, 3)], a: ["1", "2"] } });
  assert.deepEqual(
    [...(pair.seen[0] as Metadata)],
    [
      ["b-bin", Uint8Array.of(1)],
      ["b-bin", Uint8Array.of(2, 3)],
      ["a", "1, 2"],
    ],
  );
});

test("metadata of the wrong type is refused with its key, before anything is sent", async () => {
  await using pair = notingPair();
  await assert.rejects(pair.client.say({}, { metadata: { "x-bin": "text" } }), {
    name: "TypeError",
    message: /metadata key "x-bin" takes a Uint8Array/,
  });
  await assert.rejects(pair.client.say({}, { metadata: { x: 7 as unknown as string } }), {
    name: "TypeError",
    message: /metadata key "x" takes a string/,
  });
  assert.equal(pair.served.length, 0);
});

test("metadata of one call is not seen by another, and each stream has its own", async () => {
  await using pair = notingPair();
  await Promise.all(Array.from({ length: 50 }, (_, index) => pair.client.say({}, { metadata: { n: String(index) } })));
  assert.deepEqual(
    pair.seen.map((metadata) => Number(metadata.get("n"))).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index),
  );
});

test("an application's own grpc-timeout goes before the call's", async () => {
  const { transport, peer } = dialRawServer({ peer: "sequential" });
  void createEchoServiceClient(transport)
    .say({}, { timeoutMs: 60_000, metadata: { "grpc-timeout": "1S" } })
    .catch(() => undefined);
  const raw = await peer();
  assert.deepEqual(decodeMetadataPayload((await raw.frame(Kind.InvokeMetadata, 1)).data), [["grpc-timeout", "1S"]]);
  raw.close();
});
