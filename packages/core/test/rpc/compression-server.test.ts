// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import { Code, checkServeOptions, type DrpcError, type MessageCompression, type ServeOptions } from "@ts-drpc/core";
import { gopeer, toHex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { decodeSettings, encodeSettings } from "../../src/wire/settings-payload.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { frame, invoke, type RawPeer, serveRawClient, type WireFrame } from "../raw-peer.js";

const echo = (name: string): string => `/gopeer.v1.Echo/${name}`;
const compressions = [snappy, minlz];

/** A compressed body that says that it holds almost 4 GiB. */
const huge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61);

function serve(
  handler: Partial<gopeer.EchoHandler> = new GoldenEcho(),
  options: ServeOptions = {},
): ReturnType<typeof serveRawClient> {
  return serveRawClient((router) => gopeer.registerEcho(router, handler), { onError() {}, compressions, ...options });
}

/** Opens a call whose messages are compressed. Its next message id is 3. */
function invokeCompressed(stream: number, name: string, compression: string, metadata = {}): Uint8Array {
  return invoke(stream, echo(name), { ...metadata, "drpc-compression": compression });
}

function errorText({ data }: WireFrame): string {
  return `${data[7]} ${Buffer.from(data.subarray(8)).toString()}`;
}

/** Makes a call without compression to show that the connection is usable. */
async function probe(peer: RawPeer, stream: number): Promise<void> {
  peer.write(invoke(stream, echo("Unary")), frame(Kind.Message, stream, 2, msg({ n: 1n })));
  assert.deepEqual((await peer.frame(Kind.Message, stream)).data, msg({ n: 2n }));
}

/** A compression that counts what it decompresses. */
function counting(compression: MessageCompression): MessageCompression & { count: number } {
  const counted = {
    ...compression,
    count: 0,
    decompress: (body: Uint8Array, maxMessageBytes: number) => {
      counted.count++;
      return compression.decompress(body, maxMessageBytes);
    },
  };
  return counted;
}

for (const { name, compress, decompress } of compressions) {
  const open = (data: Uint8Array): Uint8Array => decompress(data, 1_000_000);

  test(`${name}: both directions are compressed, and the key is hidden from the handler (checklist 84)`, async () => {
    const { peer } = serve();
    peer.write(
      invokeCompressed(1, "Metadata", name, { mine: "yes" }),
      frame(Kind.Message, 1, 3, compress(msg({ text: "x".repeat(1_000) }))),
    );
    assert.deepEqual(open((await peer.frame(Kind.Message, 1)).data), msg({ text: "mine=yes;", n: 1n }));

    const long = msg({ text: "abc".repeat(10_000), n: 1n });
    peer.write(invokeCompressed(2, "Identity", name), frame(Kind.Message, 2, 3, compress(long)));
    const { data } = await peer.frame(Kind.Message, 2);
    assert.ok(data.length < long.length / 10);
    assert.deepEqual(open(data), long);
  });

  test(`${name}: every message of a stream is compressed by itself, and other packets are not`, async () => {
    const { peer } = serve();
    const sent = ["", "one", "two".repeat(1_000)].map((text) => compress(msg({ text })));
    peer.write(
      invokeCompressed(1, "Bidi", name),
      ...sent.map((body, index) => frame(Kind.Message, 1, 3 + index, body)),
      frame(Kind.CloseSend, 1, 6),
    );
    await peer.frame(Kind.CloseSend, 1);
    const answers = peer.frames.filter(({ kind }) => kind === Kind.Message).map(({ data }) => open(data));
    assert.deepEqual(
      answers,
      ["", "one", "two".repeat(1_000)].map((text) => msg({ text: `echo:${text}` })),
    );

    peer.write(invokeCompressed(2, "Fail", name), frame(Kind.Message, 2, 3, compress(msg({ text: "no", n: 5n }))));
    assert.equal(errorText(await peer.frame(Kind.Error, 2)), "5 no");
  });

  test(`${name}: an empty message is the byte 00 in both directions (checklist 85)`, async () => {
    const { peer } = serve();
    peer.write(invokeCompressed(1, "Identity", name), frame(Kind.Message, 1, 3, Uint8Array.of(0)));
    assert.equal(toHex((await peer.frame(Kind.Message, 1)).data), "00");
  });
}

test("an unknown compression refuses its call alone with Unimplemented, and names what there is (checklist 86)", async () => {
  const { peer } = serve({ unary: ({ n }) => ({ n: n + 1n }), identity: () => assert.fail() });
  peer.write(invokeCompressed(1, "Identity", "zstd"), frame(Kind.Message, 1, 3, "x"), frame(Kind.CloseSend, 1, 4));
  assert.equal(
    errorText(await peer.frame(Kind.Error, 1)),
    '12 /gopeer.v1.Echo/Identity: the compression "zstd" is not supported, the server\'s option compressions has snappy, minlz-fastest',
  );
  peer.write(invokeCompressed(2, "Identity", ""));
  assert.match(errorText(await peer.frame(Kind.Error, 2)), /^12 .*the compression "" is not supported/);
  peer.write(invokeCompressed(3, "Identity", "z".repeat(10_000)));
  assert.ok((await peer.frame(Kind.Error, 3)).data.length < 300);
  await probe(peer, 4);
});

test("a compression that the server has not refuses the call, and takes no place (checklist 86)", async () => {
  const { peer } = serve(undefined, { compressions: [minlz], maxConcurrentStreams: 1 });
  for (const stream of [1, 2, 3]) {
    peer.write(invokeCompressed(stream, "Identity", "snappy"));
    assert.match(errorText(await peer.frame(Kind.Error, stream)), /"snappy" is not supported, .* has minlz-fastest$/);
  }
  await probe(peer, 4);
  const none = serve(undefined, { compressions: [] });
  none.peer.write(invokeCompressed(1, "Identity", "snappy"));
  assert.match(errorText(await none.peer.frame(Kind.Error, 1)), /the server's option compressions has none$/);
});

test("a request above maxMessageBytes fails its call before it is decompressed, with option, limit and size (checklist 87)", async () => {
  const { peer } = serve({ ...new GoldenEcho(), unary: ({ n }) => ({ n: n + 1n }), identity: () => assert.fail() });
  peer.write(invokeCompressed(1, "Identity", "snappy"), frame(Kind.Message, 1, 3, huge));
  assert.equal(
    errorText(await peer.frame(Kind.Error, 1)),
    "8 /gopeer.v1.Echo/Identity: a message could not be decompressed with snappy: the message has 4294967295 bytes when decompressed, the limit maxMessageBytes is 4194304",
  );
  await probe(peer, 2);
});

test("a request that does not decompress fails its call with Internal, and the connection lives", async () => {
  const { peer } = serve({ ...new GoldenEcho(), unary: ({ n }) => ({ n: n + 1n }), identity: () => assert.fail() });
  peer.write(invokeCompressed(1, "Identity", "minlz-fastest"), frame(Kind.Message, 1, 3, Uint8Array.of(0, 9, 1)));
  assert.match(
    errorText(await peer.frame(Kind.Error, 1)),
    /^13 \/gopeer.v1.Echo\/Identity: a message could not be decompressed with minlz-fastest: the block is malformed/,
  );
  await probe(peer, 2);
});

for (const [what, body, code] of [
  ["is too large", huge, Code.ResourceExhausted],
  ["does not decompress", Uint8Array.of(5, 1), Code.Internal],
] as const) {
  test(`a message of a stream that ${what} fails the stream, even if the handler takes no notice`, async () => {
    const seen: unknown[] = [];
    let settled: () => void = () => undefined;
    const returned = new Promise<void>((resolve) => {
      settled = resolve;
    });
    const { peer } = serve({
      unary: ({ n }) => ({ n: n + 1n }),
      async clientStream(requests) {
        try {
          for await (const { text } of requests) {
            seen.push(text);
          }
        } catch (reason) {
          seen.push((reason as DrpcError).code);
        }
        settled();
        return { text: "all is well" };
      },
    });
    peer.write(
      invokeCompressed(1, "ClientStream", "snappy"),
      frame(Kind.Message, 1, 3, snappy.compress(msg({ text: "good" }))),
      frame(Kind.Message, 1, 4, body),
      frame(Kind.Message, 1, 5, snappy.compress(msg({ text: "late" }))),
    );
    assert.equal((await peer.frame(Kind.Error, 1)).data[7], code);
    await returned;
    assert.deepEqual(seen, ["good", code]);
    await probe(peer, 2);
    assert.equal(peer.shown(1).length, 1);
  });
}

test("a response counts with its size before compression", async () => {
  const { peer } = serve(
    { unary: ({ n }) => ({ n: n + 1n }), identity: () => ({ text: "x".repeat(2_000) }) },
    { maxMessageBytes: 1_000 },
  );
  peer.write(invokeCompressed(1, "Identity", "snappy"), frame(Kind.Message, 1, 3, Uint8Array.of(0)));
  assert.equal(
    errorText(await peer.frame(Kind.Error, 1)),
    "8 /gopeer.v1.Echo/Identity: a message of 2003 bytes was not sent, the limit maxMessageBytes is 1000: raise it on both sides, or send the message in parts",
  );
  await probe(peer, 2);
});

test("a response that cannot be compressed is a bug of the server, which its caller learns nothing of", async () => {
  const errors: unknown[] = [];
  const broken: MessageCompression = {
    ...snappy,
    compress() {
      throw new TypeError("a secret");
    },
  };
  const { peer } = serve(undefined, { compressions: [broken], onError: (reason) => errors.push(reason) });
  peer.write(invokeCompressed(1, "Identity", "snappy"), frame(Kind.Message, 1, 3, Uint8Array.of(0)));
  assert.equal(errorText(await peer.frame(Kind.Error, 1)), "2 /gopeer.v1.Echo/Identity: the handler failed");
  assert.match(String(errors), /a secret/);
  await probe(peer, 2);
});

test("messages wait as they came, and are decompressed one by one as the handler takes them", async () => {
  const counted = counting(snappy);
  const large = snappy.compress(msg({ text: "x".repeat(1_000_000) }));
  let take: () => void = () => undefined;
  const allowed = new Promise<void>((resolve) => {
    take = resolve;
  });
  const counts: number[] = [];
  const { peer } = serve(
    {
      unary: ({ n }) => ({ n: n + 1n }),
      async clientStream(requests) {
        await allowed;
        for await (const { text } of requests) {
          counts.push(counted.count);
          assert.equal(text.length, 1_000_000);
        }
        return { n: BigInt(counts.length) };
      },
    },
    // Ten messages would be far above the limits if they counted with what they hold.
    { compressions: [counted], maxMessageBytes: 1_100_000, windowBytes: 600_000, maxBufferedBytes: 1_700_000 },
  );
  peer.write(invokeCompressed(1, "ClientStream", "snappy"));
  for (let id = 3; id < 13; id++) {
    peer.write(frame(Kind.Message, 1, id, large));
  }
  peer.write(frame(Kind.CloseSend, 1, 13));
  await probe(peer, 2);
  assert.equal(counted.count, 0);
  take();
  assert.deepEqual(snappy.decompress((await peer.frame(Kind.Message, 1)).data, 100), msg({ n: 10n }));
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a server says in its settings which compressions it takes, and what a client says of its own does not matter", async () => {
  for (const [own, bits] of [
    [undefined, 0],
    [[snappy], 1],
    [[minlz], 2],
    [[minlz, snappy], 3],
  ] as const) {
    const { peer } = serve(undefined, { compressions: own });
    const settings = {
      version: 1,
      windowBytes: 1,
      maxMessageBytes: 1,
      maxConcurrentStreams: 0,
      connectionWindowBytes: 0,
      compressions: 7,
    };
    const announcement = Buffer.from(encodeSettings(settings)).toString("base64url");
    peer.write(invoke(1, echo("Identity"), { "ts-drpc": announcement }));
    assert.equal(decodeSettings((await peer.frame(Kind.Settings, 1)).data).compressions, bits);
    peer.close();
  }
});

test("compressions must be an array of compressions with known names, each once", () => {
  const check = (value: unknown) => () => checkServeOptions({ compressions: value as MessageCompression[] });
  assert.throws(check(snappy), { name: "TypeError", message: /^compressions must be an array of compressions, got/ });
  assert.throws(check([snappy, { ...minlz, name: "zstd" }]), {
    name: "TypeError",
    message: /^compressions\[1\] must be a compression named snappy or minlz-fastest, .*got "zstd"/,
  });
  assert.throws(check(["snappy"]), {
    name: "TypeError",
    message: /^compressions\[0\] must be .*got "?snappy|undefined/,
  });
  assert.throws(check([undefined]), { name: "TypeError", message: /got undefined$/ });
  assert.throws(check([snappy, { ...snappy }]), {
    name: "RangeError",
    message: "compressions must name each compression once, got snappy twice",
  });
  checkServeOptions({ compressions: [minlz, snappy] });
});
