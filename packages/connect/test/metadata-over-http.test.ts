// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type Client as ConnectClient, createClient } from "@connectrpc/connect";
import { Client, credentials, Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { Code, type HandlerContext, Metadata, type MetadataInit } from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import {
  createEchoServiceClient,
  EchoService,
  type EchoServiceClient,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import { addConnectRoutes, addDrpcService, fromConnectTransport, toConnectTransport } from "../src/index.js";
import { collect, type HttpWay, httpWays, listen } from "./harness.js";

const none = new Uint8Array(0);

/** Values of two keys, and what arrives under that of texts, which HTTP joins. */
const cases: readonly (readonly [values: { readonly [key: string]: MetadataValues }, text: string])[] = [
  [{ "own-bin": [none], own: [""] }, ""],
  [{ "own-bin": [Uint8Array.of(1, 2), none], own: ["a", "b"] }, "a, b"],
  [{ "own-bin": [none, Uint8Array.of(3)], own: ["", "a"] }, ", a"],
  [{ "own-bin": [none, none, none], own: ["a", "", "b"] }, "a, , b"],
  [{ "own-bin": [Uint8Array.of(4), none, Uint8Array.of(250, 255)], own: ["a, b"] }, "a, b"],
];

type MetadataValues = readonly (string | Uint8Array)[];
type Told = readonly [key: string, value: unknown][];

/** Returns what is under our keys. */
function own(metadata: Metadata): Told {
  return [...metadata].filter(([key]) => key.startsWith("own"));
}

/** Returns what is to arrive. */
function expected([values, text]: (typeof cases)[number]): Told {
  return [...own(new Metadata({ "own-bin": values["own-bin"] ?? [] })), ["own", text]];
}

/** A handler that keeps what it was sent, and answers with metadata ahead of and behind its response. */
class MetadataEcho {
  seen: Metadata = new Metadata();
  answer: MetadataInit = {};

  say(_: unknown, context: HandlerContext): object {
    this.#tell(context);
    return {};
  }

  async *repeat(_: unknown, context: HandlerContext): AsyncGenerator<object> {
    this.#tell(context);
    yield {};
  }

  #tell({ metadata, responseHeader, responseTrailer }: HandlerContext): void {
    this.seen = metadata;
    for (const [key, value] of new Metadata(this.answer)) {
      responseHeader.append(key, value);
      responseTrailer.append(key, value);
    }
  }
}

/** Serves a handler, and returns a client of it, in one of the ways over HTTP. */
async function use(t: TestContext, way: HttpWay, handler: object, onError?: () => void): Promise<EchoServiceClient> {
  const { baseUrl, close } = await way.listen((router) => addDrpcService(router, EchoService, handler, { onError }));
  t.after(close);
  const { transport, close: disconnect } = way.connect(baseUrl);
  t.after(disconnect);
  return createEchoServiceClient(fromConnectTransport(transport));
}

for (const way of httpWays) {
  test(`metadata, also of empty values, goes both ways by ${way.name}`, async (t) => {
    const handler = new MetadataEcho();
    const echo = await use(t, way, handler);
    for (const each of cases) {
      const [values] = each;
      handler.answer = values;
      for (const call of [(options: object) => echo.say({}, options), (options: object) => all(echo, options)]) {
        const told: Told[] = [];
        const tell = (metadata: Metadata): unknown => told.push(own(metadata));
        await call({ metadata: values, onHeader: tell, onTrailer: tell });
        assert.deepEqual([own(handler.seen), ...told].map(sorted), Array(3).fill(sorted(expected(each))));
      }
    }
  });
}

async function all(echo: EchoServiceClient, options: object): Promise<void> {
  await collect(echo.repeat({}, options));
}

function sorted(told: Told): Told {
  return [...told].sort(([one], [other]) => one.localeCompare(other));
}

test("metadata, also of empty values, goes both ways between a client of grpc-js and a Connect router", async (t) => {
  const handler = new MetadataEcho();
  const { baseUrl, close } = await listen((router) => addDrpcService(router, EchoService, handler));
  t.after(close);
  const client = new Client(new URL(baseUrl).host, credentials.createInsecure());
  t.after(() => client.close());
  for (const each of cases) {
    const [values] = each;
    handler.answer = values;
    const sent = new GrpcMetadata();
    for (const [key, value] of new Metadata(values)) {
      sent.add(key, typeof value === "string" ? value : Buffer.from(value));
    }
    const told = await new Promise<Told[]>((resolve) => {
      const asIs = (body: Buffer): Buffer => body;
      const path = "/echo.v1.EchoService/Say";
      const call = client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), sent, () => undefined);
      const headers: Told[] = [];
      call.on("metadata", (header) => headers.push(ownOfGrpc(header)));
      call.on("status", ({ metadata }) => resolve([...headers, ownOfGrpc(metadata)]));
    });
    assert.deepEqual([own(handler.seen), ...told].map(sorted), Array(3).fill(sorted(expected(each))));
  }
});

function ownOfGrpc(metadata: GrpcMetadata): Told {
  const keys = Object.keys(metadata.getMap()).filter((key) => key.startsWith("own"));
  return keys.flatMap((key) =>
    metadata.get(key).map((value): Told[number] => [key, typeof value === "string" ? value : Uint8Array.from(value)]),
  );
}

test("metadata, also of empty values, goes both ways between a client of Connect and a DRPC handler", async (t) => {
  const handler = new MetadataEcho();
  const transport = createRouterTransport((router) => registerEchoService(router, handler));
  t.after(() => transport.close({ drainMs: 0 }));
  const echo: ConnectClient<typeof EchoService> = createClient(EchoService, toConnectTransport(transport));
  const told: unknown[] = [];
  const tell = (headers: Headers): unknown => told.push([headers.get("own-bin"), headers.get("own")]);
  handler.answer = { "own-bin": [Uint8Array.of(1, 2), none], own: ["", "a"] };
  await echo.say({}, { headers: { "own-bin": "AQI,", own: ", a" }, onHeader: tell, onTrailer: tell });
  assert.deepEqual(told, Array(2).fill(["AQI,", ", a"]));
  assert.deepEqual(handler.seen.getAll("own-bin"), [Uint8Array.of(1, 2), none]);
});

describe("metadata that HTTP would lose is refused", () => {
  const lost: readonly (readonly [init: MetadataInit, why: RegExp])[] = [
    [{ own: " a" }, /metadata key "own" cannot be a header: its text begins or ends with a space/],
    [{ own: "a " }, /begins or ends with a space/],
    [{ own: ["a", ""] }, /the last of its texts is empty/],
    [{ Own: "a", own: "" }, /the last of its texts is empty/],
    [{ "Own-BIN": "text" }, /metadata key "Own-BIN" cannot be a header: in lower case it is one of bytes/],
    [{ own: "v".repeat(60_000) }, /the metadata cannot go over HTTP: it has 60003 bytes and 1 values/],
    [
      Array.from({ length: 101 }, (_, index) => [`k${index}`, "v"] as const),
      /101 values, the limits are 60000 and 100/,
    ],
  ];

  test("with InvalidArgument on a client, before the call is made", async (t) => {
    const echo = await use(t, httpWays[2] as HttpWay, {});
    for (const [metadata, rawMessage] of lost) {
      await assert.rejects(echo.say({}, { metadata }), { code: Code.InvalidArgument, rawMessage, notStarted: true });
    }
  });

  test("as a fault of the handler on a server", async (t) => {
    const reported: unknown[] = [];
    const handler = new MetadataEcho();
    const echo = await use(t, httpWays[2] as HttpWay, handler, (...[reason]: unknown[]) => void reported.push(reason));
    for (const [answer, why] of lost) {
      handler.answer = answer;
      await assert.rejects(echo.say({}), { code: Code.Unknown, rawMessage: /the handler failed/ });
      assert.match(String(reported.pop()), why);
    }
  });

  test("with InvalidArgument by a service of Connect, and with Internal for a client of Connect, over DRPC", async (t) => {
    const inOrder = createRouterTransport((router) =>
      addConnectRoutes(router, (connectRouter) => connectRouter.service(EchoService, { say: () => ({}) })),
    );
    t.after(() => inOrder.close({ drainMs: 0 }));
    const metadata = { own: "a " };
    const refused = { code: Code.InvalidArgument, rawMessage: /"own" cannot be a header/ };
    await assert.rejects(createEchoServiceClient(inOrder).say({}, { metadata }), refused);

    const handler = new MetadataEcho();
    handler.answer = metadata;
    const transport = createRouterTransport((router) => registerEchoService(router, handler));
    t.after(() => transport.close({ drainMs: 0 }));
    const echo = createClient(EchoService, toConnectTransport(transport));
    await assert.rejects(echo.say({}), { code: Code.Internal, rawMessage: /"own" cannot be a header/ });
  });
});
