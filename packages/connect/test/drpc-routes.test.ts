// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  Code,
  ConnectError,
  type ConnectRouterOptions,
  createClient,
  createConnectRouter,
  createContextKey,
  createRouterTransport,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { DrpcError, type Handler, type HandlerContext } from "@ts-drpc/core";
import { EchoHandler, EchoService } from "@ts-drpc-internal/fixtures";
import { addDrpcService, type DrpcRouteOptions } from "../src/index.js";
import { collect, httpWays, listen, streamOf } from "./harness.js";

type EchoHandlers = Partial<Handler<typeof EchoService>>;
type EchoClient = Client<typeof EchoService>;

/** Returns a Connect transport to a DRPC handler in the same process. */
function transportTo(handler: EchoHandlers, options: DrpcRouteOptions = {}): Transport {
  return createRouterTransport((router) => addDrpcService(router, EchoService, handler, options));
}

function clientOf(handler: EchoHandlers, options: DrpcRouteOptions = {}): EchoClient {
  return createClient(EchoService, transportTo(handler, options));
}

function tell(context: HandlerContext): void {
  context.responseHeader.append("header", "one").append("header", "two").append("raw-bin", Uint8Array.of(255, 0));
  context.responseTrailer.set("behind", "yes");
}

const protocols = { Connect: createConnectTransport, gRPC: createGrpcTransport, "gRPC-Web": createGrpcWebTransport };

for (const [name, createTransport] of Object.entries(protocols)) {
  test(`a DRPC handler on a Connect router answers ${name}, with metadata and errors`, async () => {
    const handler: EchoHandlers = {
      say({ sentence }, context) {
        tell(context);
        if (sentence === "fail") {
          throw new DrpcError("no – ❄", Code.Aborted, { details: [{ desc: DurationSchema, value: { seconds: 3n } }] });
        }
        return { sentence: `${context.metadata.get("tenant")} ${context.metadata.getBinary("key-bin")}` };
      },
      async *repeat({ sentence }, context) {
        tell(context);
        yield { sentence };
        if (sentence === "fail") {
          throw new DrpcError("late", Code.DataLoss);
        }
      },
    };
    const { baseUrl, close } = await listen((router) => addDrpcService(router, EchoService, handler));
    const sessionManager = new Http2SessionManager(baseUrl);
    try {
      const echo = createClient(EchoService, createTransport({ httpVersion: "2", baseUrl, sessionManager }));
      const told: (string | null)[] = [];
      const options = {
        headers: { Tenant: "acme", "key-bin": "AQI" },
        onHeader: (header: Headers) => told.push(header.get("header"), header.get("raw-bin")),
        onTrailer: (trailer: Headers) => told.push(trailer.get("behind")),
      };
      assert.equal((await echo.say({}, options)).sentence, "acme 1,2");
      assert.equal((await collect(echo.repeat({ sentence: "hi" }, options)))[0]?.sentence, "hi");
      assert.deepEqual(told, Array(2).fill(["one, two", "/wA", "yes"]).flat());

      const error = ConnectError.from(await failureOf(echo.say({ sentence: "fail" })));
      assert.deepEqual([error.code, error.rawMessage], [Code.Aborted, "no – ❄"]);
      assert.deepEqual(error.findDetails(DurationSchema), [create(DurationSchema, { seconds: 3n })]);
      assert.deepEqual([error.metadata.get("header"), error.metadata.get("behind")], ["one, two", "yes"]);

      const received: string[] = [];
      const late = await failureOf(
        (async () => {
          for await (const { sentence } of echo.repeat({ sentence: "fail" })) {
            received.push(sentence);
          }
        })(),
      );
      assert.equal(ConnectError.from(late).code, Code.DataLoss);
      assert.deepEqual(received, ["fail"]);
      await assert.rejects(echo.join(streamOf({})), { code: Code.Unimplemented });
    } finally {
      sessionManager.abort();
      await close();
    }
  });
}

describe("a DRPC handler on a Connect router", () => {
  test("answers calls of all four kinds", async () => {
    const echo = clientOf(new EchoHandler());
    assert.equal((await echo.say({ sentence: "hi" })).sentence, "hi");
    assert.equal((await collect(echo.repeat({ sentence: "again", times: 3 }))).length, 3);
    assert.equal((await echo.join(streamOf({ sentence: "a" }, { sentence: "b" }))).sentence, "a b");
    assert.equal((await collect(echo.chat(streamOf({}, {})))).length, 2);
  });

  test("keeps what it throws that is no DrpcError from the caller, and onError is told", async () => {
    const reported: unknown[] = [];
    const secret = new Error("secret");
    const echo = clientOf(
      {
        say() {
          throw secret;
        },
        // biome-ignore lint/correctness/useYield: it fails before
        async *repeat() {
          throw secret;
        },
        join: () => 7 as unknown as object,
      },
      { onError: (reason) => reported.push(reason) },
    );
    const expected = { code: Code.Unknown, message: /the handler failed/ };
    await assert.rejects(echo.say({}), expected);
    await assert.rejects(collect(echo.repeat({})), expected);
    await assert.rejects(echo.join(streamOf({})), expected);
    assert.deepEqual(reported.slice(0, 2), [secret, secret]);
    assert.match(String(reported[2]), /the handler's response is 7, not a message/);
  });

  test("fails with Unimplemented if there is not exactly one request where the method has one", async () => {
    const transport = transportTo(new EchoHandler());
    for (const requests of [[], [{}, {}]]) {
      const { repeat } = EchoService.method;
      const call = async (): Promise<unknown> =>
        collect((await transport.stream(repeat, undefined, undefined, undefined, streamOf(...requests))).message);
      await assert.rejects(call, { code: Code.Unimplemented });
    }
  });

  test("is held to the caller's deadline even if it ignores its signal", async () => {
    const deadlines: (number | undefined)[] = [];
    const codes: number[] = [];
    const ignore = async (context: HandlerContext): Promise<never> => {
      deadlines.push(context.deadline?.timeoutMs);
      context.signal.addEventListener("abort", () => codes.push((context.signal.reason as DrpcError).code));
      return new Promise(() => undefined);
    };
    const echo = clientOf({
      say: (_, context) => ignore(context),
      async *repeat(_, context) {
        yield {};
        await ignore(context);
      },
    });
    // Only the server watches the clock.
    const headers = { "Connect-Timeout-Ms": "20" };
    await assert.rejects(echo.say({}, { headers }), { code: Code.DeadlineExceeded });
    await assert.rejects(collect(echo.repeat({}, { headers })), { code: Code.DeadlineExceeded });
    assert.deepEqual(codes, [Code.DeadlineExceeded, Code.DeadlineExceeded]);
    assert.ok(deadlines.every((timeoutMs) => timeoutMs !== undefined && timeoutMs <= 20));
  });

  test("is told that the caller canceled, and hears nothing of a call that ended well", async () => {
    const signals: AbortSignal[] = [];
    const controller = new AbortController();
    const echo = clientOf({
      async say({ sentence }, { signal }) {
        signals.push(signal);
        if (sentence === "hang") {
          queueMicrotask(() => controller.abort());
          await once(signal, "abort");
        }
        return {};
      },
      async *repeat(_, { signal }) {
        signals.push(signal);
        yield {};
      },
    });
    await echo.say({});
    await collect(echo.repeat({}));
    await assert.rejects(echo.say({ sentence: "hang" }, { signal: controller.signal }), { code: Code.Canceled });
    assert.deepEqual(
      signals.map(({ reason }) => (reason as DrpcError | undefined)?.code),
      [undefined, undefined, Code.Canceled],
    );
  });

  test("reads no more requests once the call has ended, and is told why", async () => {
    const codes: unknown[] = [];
    const echo = clientOf({
      async join(requests) {
        await collect(requests).catch((reason) => codes.push(reason.code));
        return {};
      },
    });
    async function* silent(): AsyncGenerator<object> {
      await new Promise(() => undefined);
    }
    const call = echo.join(silent(), { headers: { "Connect-Timeout-Ms": "20" } });
    await assert.rejects(call, { code: Code.DeadlineExceeded });
    assert.deepEqual(codes, [Code.DeadlineExceeded]);
  });

  test("goes through its own gate and interceptors inside Connect's, and shares context values with them", async () => {
    const key = createContextKey("default");
    const outer: Interceptor = (next) => (request) => {
      request.contextValues.set(key, "Connect");
      request.header.set("token", request.header.get("secret") ?? "");
      return next(request);
    };
    const echo = clientOf(
      { say: (_, { contextValues, peer }) => ({ sentence: `${contextValues.get(key)} for ${peer.address}` }) },
      {
        peer: ({ url }) => ({ address: new URL(url).host }),
        gate({ metadata }) {
          if (metadata.get("token") !== "t") {
            throw new DrpcError("who are you?", Code.Unauthenticated);
          }
        },
        interceptors: [
          (next) => (request) => {
            request.contextValues.set(key, `${request.contextValues.get(key)} and DRPC`);
            return next(request);
          },
        ],
        connect: { interceptors: [outer] },
      },
    );
    await assert.rejects(echo.say({}), { code: Code.Unauthenticated, rawMessage: "who are you?" });
    assert.equal((await echo.say({}, { headers: { secret: "t" } })).sentence, "Connect and DRPC for in-memory");
  });

  test("fails, and onError is told, if it sets metadata that HTTP cannot carry", async () => {
    const reported: unknown[] = [];
    const echo = clientOf(
      {
        say(_, { responseTrailer }) {
          responseTrailer.set("content-type", "text/html");
          return {};
        },
        async *repeat(_, { responseHeader }) {
          responseHeader.set("weather", "雪");
          yield {};
        },
      },
      { onError: (reason) => reported.push(reason) },
    );
    await assert.rejects(echo.say({}), { code: Code.Unknown, message: /the handler failed/ });
    await assert.rejects(collect(echo.repeat({})), { code: Code.Unknown, message: /the handler failed/ });
    assert.match(String(reported[0]), /"content-type" cannot go over HTTP/);
    assert.match(String(reported[1]), /"weather"/);
  });

  test("answers once it has heard enough, whatever the caller still sends", async () => {
    const echo = clientOf({
      async join(requests) {
        for await (const { sentence } of requests) {
          return { sentence };
        }
        return {};
      },
    });
    assert.equal((await echo.join(streamOf({ sentence: "first" }, { sentence: "second" }))).sentence, "first");
  });
});

for (const { name, listen: serve, connect } of httpWays) {
  test(`a message above the limit fails its call, in either direction, by ${name}`, async (t) => {
    const handler: EchoHandlers = {
      say: ({ sentence }) => ({ sentence: sentence === "large" ? "x".repeat(2_000) : sentence }),
      async join(requests) {
        return { sentence: String((await collect(requests)).length) };
      },
    };
    const options = { maxMessageBytes: 1_000 };
    // What the router says does not hold for these methods.
    const { baseUrl, close } = await serve((router) => addDrpcService(router, EchoService, handler, options), {
      readMaxBytes: 10,
    });
    t.after(close);
    const { transport, close: disconnect } = connect(baseUrl);
    t.after(disconnect);
    const echo = createClient(EchoService, transport);
    const fits = "x".repeat(900);
    assert.equal((await echo.say({ sentence: fits })).sentence, fits);
    const tooLarge = { code: Code.ResourceExhausted, rawMessage: /larger than configured \w+MaxBytes 1000$/ };
    await assert.rejects(echo.say({ sentence: "large" }), tooLarge);
    await assert.rejects(echo.say({ sentence: "x".repeat(1_000) }), tooLarge);
    await assert.rejects(echo.join(streamOf({ sentence: fits }, { sentence: "x".repeat(1_000) })), tooLarge);
  });
}

describe("addDrpcService", () => {
  test("holds messages to 4 MiB by default, and those that are sent to a limit of their own", async () => {
    const handler: EchoHandlers = { say: ({ sentence }) => ({ sentence }) };
    const sentence = "x".repeat(4 * 1024 * 1024);
    const options = { maxMessageBytes: 5 * 1024 * 1024, maxSendMessageBytes: 100 };
    await assert.rejects(clientOf(handler).say({ sentence }), { rawMessage: /readMaxBytes 4194304/ });
    await assert.rejects(clientOf(handler, options).say({ sentence }), { rawMessage: /writeMaxBytes 100/ });
    for (const name of ["maxMessageBytes", "maxSendMessageBytes"]) {
      assert.throws(() => clientOf(handler, { [name]: 0 }), { name: "RangeError", message: new RegExp(name) });
    }
  });

  test("leaves protocols turned off that the router has turned off, and turns others off for itself", () => {
    const protocolsOf = (router: ConnectRouterOptions, options: DrpcRouteOptions): Set<string> => {
      const { handlers } = addDrpcService(createConnectRouter(router), EchoService, {}, options);
      assert.equal(handlers.length, EchoService.methods.length);
      return new Set(handlers.flatMap(({ protocolNames }) => protocolNames));
    };
    assert.deepEqual(protocolsOf({}, {}), new Set(["grpc", "grpc-web", "connect"]));
    assert.deepEqual(protocolsOf({ grpc: false }, { maxMessageBytes: 7 }), new Set(["grpc-web", "connect"]));
    assert.deepEqual(protocolsOf({ grpc: false }, { connect: { grpcWeb: false } }), new Set(["connect"]));
  });
});

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
}
