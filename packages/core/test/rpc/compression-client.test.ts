// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import {
  Code,
  createSessionTransport,
  type DrpcError,
  type MessageCompression,
  type SessionTransportOptions,
} from "@ts-drpc/core";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { decodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { encodeSettings, type Settings } from "../../src/wire/settings-payload.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, frame, type RawPeer } from "../raw-peer.js";

const compressed: SessionTransportOptions = { peer: "multiplexed", compression: snappy };

interface RawCall {
  readonly client: gopeer.EchoClient;
  readonly peer: RawPeer;
}

/** A client of ours whose server is a raw peer. Its first call is over, and was answered by these settings, if any. */
async function connect(options: SessionTransportOptions, settings?: Partial<Settings>): Promise<RawCall> {
  const { transport, peer } = dialRawServer(options);
  const client = gopeer.createEchoClient(transport);
  const first = client.unary({});
  const raw = await peer();
  await raw.frame(Kind.Message, 1);
  if (settings !== undefined) {
    const all = {
      version: 1,
      windowBytes: 1e6,
      maxMessageBytes: 1e6,
      maxConcurrentStreams: 9,
      connectionWindowBytes: 0,
      compressions: 0,
    };
    raw.write(frame(Kind.Settings, 1, 1, encodeSettings({ ...all, ...settings })));
    await raw.frame(Kind.Settings, 1);
  }
  const body = options.peer === "multiplexed" && options.compression !== undefined ? Uint8Array.of(0) : msg({});
  raw.write(frame(Kind.Message, 1, 2, body), frame(Kind.CloseSend, 1, 3));
  await first;
  return { client, peer: raw };
}

/** Returns what a call says of its compression, by its metadata. */
function announced(peer: RawPeer, stream: number): string[] {
  const metadata = peer.frames.find((each) => each.kind === Kind.InvokeMetadata && each.stream === stream);
  return decodeMetadataPayload(metadata?.data ?? new Uint8Array(0))
    .filter(([key]) => key === "drpc-compression")
    .map(([, value]) => value);
}

/** Makes another call, and returns what it says of its compression and the body of its request. */
async function nextCall(
  { client, peer }: RawCall,
  compression?: MessageCompression,
  stream = 2,
): Promise<[string[], Uint8Array]> {
  const call = client.unary({ text: "a".repeat(100) });
  const { data } = await peer.frame(Kind.Message, stream);
  const body = msg({ text: "b".repeat(100) });
  peer.write(frame(Kind.Message, stream, 1, compression?.compress(body) ?? body), frame(Kind.CloseSend, stream, 2));
  assert.equal((await call).text, "b".repeat(100));
  return [announced(peer, stream), data];
}

async function* only<T>(request: T): AsyncGenerator<T> {
  yield request;
}

const plainRequest = msg({ text: "a".repeat(100) });

for (const compression of [snappy, minlz]) {
  test(`${compression.name}: towards a multiplexed peer every call says so, and is compressed both ways (checklist 84)`, async () => {
    const connected = await connect({ peer: "multiplexed", compression });
    assert.deepEqual(announced(connected.peer, 1), [compression.name]);
    assert.deepEqual((await connected.peer.frame(Kind.Message, 1)).data, Uint8Array.of(0));
    const [names, body] = await nextCall(connected, compression);
    assert.deepEqual(names, [compression.name]);
    assert.ok(body.length < 30);
    assert.deepEqual(compression.decompress(body, 1_000), plainRequest);
  });

  test(`${compression.name}: an unknown peer is asked first, and gets compressed calls if it takes them`, async () => {
    for (const [bits, name] of [
      [snappy, 1],
      [minlz, 2],
    ].map(([each, bit]) => [bit as number, (each as MessageCompression).name] as const)) {
      const connected = await connect({ compression }, { compressions: bits });
      assert.deepEqual(announced(connected.peer, 1), []);
      const taken = name === compression.name;
      const [names, body] = await nextCall(connected, taken ? compression : undefined);
      assert.deepEqual(names, taken ? [name] : []);
      assert.deepEqual(taken ? compression.decompress(body, 1_000) : body, plainRequest);
    }
  });
}

test("a ts-drpc peer that takes no compression, or does not know of any, gets none", async () => {
  assert.deepEqual(await nextCall(await connect({ compression: snappy }, { compressions: 0 })), [[], plainRequest]);
});

test("a Go peer, which does not answer the announcement, gets none", async () => {
  assert.deepEqual(await nextCall(await connect({ compression: snappy })), [[], plainRequest]);
});

test("a key of the application is removed without compression, and replaced with it", async () => {
  for (const [options, expected] of [
    [{}, []],
    [{ peer: "multiplexed" }, []],
    [{ peer: "sequential" }, []],
    [compressed, ["snappy"]],
  ] as const) {
    const { transport, peer } = dialRawServer(options);
    const client = gopeer.createEchoClient(transport);
    const metadata = { "drpc-compression": "mine", other: "stays" };
    const call = client.unary({}, { metadata });
    const raw = await peer();
    const entries = decodeMetadataPayload((await raw.frame(Kind.InvokeMetadata, 1)).data);
    assert.deepEqual(announced(raw, 1), expected);
    assert.ok(entries.some(([key, value]) => key === "other" && value === "stays"));
    raw.close();
    await assert.rejects(call);
    await transport.close();
  }
});

test("sequential peers cannot have compression, and that is said at once", () => {
  assert.throws(() => createSessionTransport(() => assert.fail(), { peer: "sequential", compression: snappy }), {
    name: "RangeError",
    message: /^compression must not be set with peer: "sequential", got snappy/,
  });
});

test("compression must be one, with a name that the wire knows", () => {
  for (const value of ["snappy", 5, null, {}, { ...snappy, name: "zstd" }, { name: "snappy", compress() {} }]) {
    const compression = value as MessageCompression;
    assert.throws(() => createSessionTransport(() => assert.fail(), { compression }), {
      name: "TypeError",
      message:
        /^compression must be a compression named snappy or minlz-fastest, as @ts-drpc\/compression has them, got/,
    });
  }
});

for (const [what, body, code, text] of [
  [
    "is too large",
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61),
    Code.ResourceExhausted,
    "a message could not be decompressed with snappy: the message has 4294967295 bytes when decompressed, the limit maxMessageBytes is 4194304",
  ],
  [
    "does not decompress",
    Uint8Array.of(5, 1),
    Code.Internal,
    "a message could not be decompressed with snappy: the block is malformed: it ends too early",
  ],
] as const) {
  test(`a response that ${what} fails its call alone, and the server is told to stop`, async () => {
    const connected = await connect(compressed);
    const { client, peer } = connected;
    const unary = client.unary({});
    await peer.frame(Kind.Message, 2);
    peer.write(frame(Kind.Message, 2, 1, body), frame(Kind.CloseSend, 2, 2));
    await assert.rejects(unary, { code, rawMessage: `/gopeer.v1.Echo/Unary: ${text}` });

    const texts: string[] = [];
    const stream = (async () => {
      for await (const response of client.serverStream({})) {
        texts.push(response.text);
      }
    })();
    await peer.frame(Kind.Message, 3);
    peer.write(frame(Kind.Message, 3, 1, snappy.compress(msg({ text: "good" }))), frame(Kind.Message, 3, 2, body));
    await assert.rejects(stream, { code, rawMessage: `/gopeer.v1.Echo/ServerStream: ${text}` });
    assert.deepEqual(texts, ["good"]);
    await peer.frame(Kind.Cancel, 3);

    const last = client.unary({});
    await peer.frame(Kind.Message, 4);
    peer.write(frame(Kind.Message, 4, 1, Uint8Array.of(0)), frame(Kind.CloseSend, 4, 2));
    await last;
  });
}

test("a request counts with its size before compression, and as it is sent", async () => {
  const { client, peer } = await connect({ ...compressed, maxMessageBytes: 1_000 });
  const noise = Uint8Array.from({ length: 996 }, (_, index) => (index * index * 7_919) >> 5);
  for (const [request, bytes] of [
    [{ text: "x".repeat(2_000) }, 2_003],
    [{ data: noise }, 1_004],
  ] as const) {
    const reason = {
      code: Code.ResourceExhausted,
      rawMessage: new RegExp(`a message of ${bytes} bytes was not sent, the limit maxMessageBytes is 1000: raise it`),
    };
    await assert.rejects(client.unary(request), reason);
    await assert.rejects(client.clientStream(only(request)), reason);
  }
  assert.deepEqual(
    peer.frames.filter(({ kind, stream }) => kind === Kind.Message && stream > 1),
    [],
  );
});

test("a request that cannot be compressed fails its call, and nothing else", async () => {
  let broken = false;
  const compression: MessageCompression = {
    ...snappy,
    compress(message) {
      if (broken) {
        throw new TypeError("out of order");
      }
      return snappy.compress(message);
    },
  };
  const connected = await connect({ ...compressed, compression });
  broken = true;
  const refused = (reason: DrpcError): boolean =>
    reason.code === Code.Internal && /the request could not be encoded: out of order$/.test(reason.rawMessage);
  await assert.rejects(connected.client.unary({}), refused);
  await assert.rejects(connected.client.clientStream(only({})), refused);
  broken = false;
  await nextCall(connected, compression, 3);
});
