// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createContextKey,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import { DrpcError, type Interceptor as DrpcInterceptor, type HandlerContext, PushStream } from "@ts-drpc/core";
import { createRouterTransport, type RouterTransportOptions } from "@ts-drpc/core/testing";
import { EchoHandler, EchoService, type EchoServiceHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { type ToConnectTransportOptions, toConnectTransport } from "../src/index.js";
import { collect, streamOf } from "./harness.js";

type EchoClient = Client<typeof EchoService>;

/** Uses a Connect client whose calls go over DRPC to a handler. */
async function use(
  handler: Partial<EchoServiceHandler>,
  work: (echo: EchoClient) => Promise<void>,
  options: ToConnectTransportOptions = {},
  drpc: RouterTransportOptions = {},
): Promise<void> {
  await using transport = createRouterTransport((router) => registerEchoService(router, handler), drpc);
  await work(createClient(EchoService, toConnectTransport(transport, options)));
}

function tell(context: HandlerContext): void {
  context.responseHeader.append("header", "one").append("header", "two").append("raw-bin", Uint8Array.of(255, 0));
  context.responseTrailer.set("trailer", "behind");
}

describe("a Connect client over a DRPC transport", () => {
  test("makes calls of all four kinds", () =>
    use(new EchoHandler(), async (echo) => {
      assert.equal((await echo.say({ sentence: "hi" })).sentence, "hi");
      assert.equal((await collect(echo.repeat({ sentence: "again", times: 3 }))).length, 3);
      assert.equal((await echo.join(streamOf({ sentence: "a" }, { sentence: "b" }))).sentence, "a b");
      assert.equal((await collect(echo.chat(streamOf({ sentence: "x" }, { sentence: "y" })))).length, 2);
    }));

  test("sends headers as metadata, and is told of the server's header and trailer, whatever the kind of the call", async () => {
    const seen: unknown[] = [];
    const note = (context: HandlerContext): void => {
      seen.push(context.metadata.get("tenant"), context.metadata.getAll("key-bin"));
      tell(context);
    };
    const handler: EchoServiceHandler = {
      say(_, context) {
        note(context);
        return {};
      },
      async *repeat(_, context) {
        note(context);
        yield {};
      },
      async join(_, context) {
        note(context);
        return {};
      },
      // biome-ignore lint/correctness/useYield: it has nothing to say
      async *chat(_, context) {
        note(context);
      },
    };
    await use(handler, async (echo) => {
      const told: [string | null, string | null, string | null][] = [];
      const calls = [
        (options: object) => echo.say({}, options),
        (options: object) => collect(echo.repeat({}, options)),
        (options: object) => echo.join(streamOf({}), options),
        (options: object) => collect(echo.chat(streamOf({}), options)),
      ];
      for (const call of calls) {
        let header: Headers | undefined;
        await call({
          headers: [
            ["Tenant", "acme"],
            ["key-bin", "AQI"],
            ["key-bin", "AwQ="],
          ],
          onHeader: (headers: Headers) => {
            header = headers;
          },
          onTrailer: (trailer: Headers) => {
            told.push([header?.get("header") ?? null, header?.get("raw-bin") ?? null, trailer.get("trailer")]);
          },
        });
      }
      assert.deepEqual(told, Array(4).fill(["one, two", "/wA", "behind"]));
      assert.deepEqual(
        seen,
        Array(4)
          .fill(["acme", [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]])
          .flat(),
      );
    });
  });

  test("gets errors as Connect has them: code, text, details and metadata", async () => {
    const failing = (context: HandlerContext): never => {
      tell(context);
      const details = [{ desc: DurationSchema, value: { seconds: 3n } }];
      throw new DrpcError("not here", Code.NotFound, { details });
    };
    const handler: Partial<EchoServiceHandler> = {
      say: (_, context) => failing(context),
      // biome-ignore lint/correctness/useYield: it fails before
      async *repeat(_, context) {
        failing(context);
      },
    };
    await use(handler, async (echo) => {
      for (const call of [() => echo.say({}), () => collect(echo.repeat({}))]) {
        const error: unknown = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof ConnectError && error.cause instanceof DrpcError);
        assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "not here"]);
        assert.deepEqual(error.findDetails(DurationSchema), [create(DurationSchema, { seconds: 3n })]);
        assert.equal(error.metadata.get("header"), "one, two");
        assert.equal(error.metadata.get("trailer"), "behind");
      }
    });
  });

  test("gets Unknown for a code without a name, and for what the handler threw that is no DrpcError", async () => {
    const handler: Partial<EchoServiceHandler> = {
      say() {
        throw new DrpcError("own", 4_711);
      },
      join() {
        throw new Error("secret");
      },
    };
    const onError = (): void => undefined;
    await use(
      handler,
      async (echo) => {
        await assert.rejects(echo.say({}), { code: Code.Unknown, rawMessage: "own" });
        await assert.rejects(echo.join(streamOf({})), { code: Code.Unknown, message: /the handler failed/ });
        await assert.rejects(collect(echo.repeat({})), { code: Code.Unimplemented });
      },
      {},
      { server: { onError } },
    );
  });

  test("cancels by its signal, tells the handler, and keeps no listener on the signal", async () => {
    const ended: unknown[] = [];
    const controller = new AbortController();
    const hang = async (context: HandlerContext): Promise<never> => {
      queueMicrotask(() => controller.abort());
      await once(context.signal, "abort");
      ended.push((context.signal.reason as DrpcError).code);
      throw context.signal.reason;
    };
    const handler: Partial<EchoServiceHandler> = {
      say: ({ sentence }, context) => (sentence === "" ? hang(context) : { sentence }),
      async *chat(_, context) {
        yield {};
        await hang(context);
      },
    };
    await use(handler, async (echo) => {
      await assert.rejects(echo.say({}, { signal: controller.signal }), { name: "ConnectError", code: Code.Canceled });
      const second = new AbortController();
      const requests = new PushStream<{ sentence: string }>();
      const replies = echo.chat(requests, { signal: second.signal })[Symbol.asyncIterator]();
      await replies.next();
      second.abort();
      await assert.rejects(replies.next(), { name: "ConnectError", code: Code.Canceled });
      await assert.rejects(requests.send({ sentence: "too late" }));
      const { signal } = new AbortController();
      await echo.say({ sentence: "hi" }, { signal });
      assert.deepEqual(getEventListeners(signal, "abort"), []);
      assert.deepEqual(getEventListeners(second.signal, "abort"), []);
    });
    assert.deepEqual(ended, [Code.Canceled, Code.Canceled]);
  });

  test("takes a time limit, which reaches the handler, and zero for none", async () => {
    const deadlines: (number | undefined)[] = [];
    const handler: Partial<EchoServiceHandler> = {
      say({ sentence }, { deadline, signal }) {
        deadlines.push(deadline?.timeoutMs);
        return sentence === "" ? once(signal, "abort").then(() => ({})) : { sentence };
      },
    };
    await use(
      handler,
      async (echo) => {
        await echo.say({ sentence: "default" });
        await echo.say({ sentence: "none" }, { timeoutMs: 0 });
        await echo.say({ sentence: "longer than a timer" }, { timeoutMs: 3_000_000_000 });
        await assert.rejects(echo.say({}, { timeoutMs: 20 }), { code: Code.DeadlineExceeded });
      },
      { defaultTimeoutMs: 60_000 },
    );
    const [first, none, long, short] = deadlines;
    assert.ok(first !== undefined && first > 50_000 && first <= 60_000);
    assert.equal(none, undefined);
    assert.ok(long !== undefined && long > 2_000_000_000);
    assert.ok(short === undefined || short <= 20);
  });

  test("goes through Connect's interceptors, the first outermost, and shares context values with those of DRPC", async () => {
    const key = createContextKey("default");
    const order: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        order.push(`${name} ${request.url} ${request.requestMethod}`);
        request.header.append("by", name);
        const response = await next(request);
        order.push(`${name} ${response.header.get("header")} ${request.contextValues.get(key)}`);
        return response;
      };
    const drpc: DrpcInterceptor = (next) => (request) => {
      order.push(`drpc ${request.contextValues.has(key)} ${request.contextValues.get(key)}`);
      request.contextValues.set(key, "of DRPC");
      return next(request);
    };
    const handler: Partial<EchoServiceHandler> = {
      async *repeat(_, context) {
        tell(context);
        yield { sentence: context.metadata.get("by") ?? "" };
      },
    };
    await use(
      handler,
      async (echo) => {
        const contextValues = createContextValues().set(key, "of Connect");
        const [reply] = await collect(echo.repeat({}, { contextValues }));
        assert.equal(reply?.sentence, "a, b");
      },
      { interceptors: [named("a"), named("b")] },
      { client: { interceptors: [drpc] } },
    );
    assert.deepEqual(order, [
      "a drpc:///echo.v1.EchoService/Repeat POST",
      "b drpc:///echo.v1.EchoService/Repeat POST",
      "drpc true of Connect",
      "b one, two of DRPC",
      "a one, two of DRPC",
    ]);
  });

  test("fails a call whose server sends metadata that headers cannot carry, and names the key", async () => {
    const handler: Partial<EchoServiceHandler> = {
      say(_, context) {
        context.responseHeader.set("weather", "雪");
        return {};
      },
    };
    await use(handler, async (echo) => {
      await assert.rejects(echo.say({}), { code: Code.Internal, message: /"weather"/ });
    });
  });

  test("refuses options with wrong values", async () => {
    await using transport = createRouterTransport(() => undefined);
    assert.throws(() => toConnectTransport(transport, { defaultTimeoutMs: -1 }), /defaultTimeoutMs/);
    assert.throws(() => toConnectTransport(transport, { interceptors: {} as [] }), /interceptors/);
  });
});
