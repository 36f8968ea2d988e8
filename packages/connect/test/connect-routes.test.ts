// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { createRouter, DrpcError, type Interceptor as DrpcInterceptor, type Metadata } from "@ts-drpc/core";
import { createRouterTransport, type RouterTransportOptions } from "@ts-drpc/core/testing";
import { createEchoServiceClient, EchoService, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { addConnectRoutes, type ConnectServeOptions, toConnectTransport } from "../src/index.js";
import { collect, streamOf } from "./harness.js";

type Echo = Partial<ServiceImpl<typeof EchoService>>;

/** Uses a DRPC client of a service of Connect. */
async function use(
  echo: Echo | ((router: ConnectRouter) => void),
  work: (echo: EchoServiceClient) => Promise<void>,
  options: ConnectServeOptions = {},
  drpc: RouterTransportOptions = {},
): Promise<void> {
  const routes = typeof echo === "function" ? echo : (router: ConnectRouter) => router.service(EchoService, echo);
  await using transport = createRouterTransport((router) => addConnectRoutes(router, routes, options), drpc);
  await work(createEchoServiceClient(transport));
}

/** A service of Connect that shows what it is told, and tells of metadata of its own. */
class ShowingEcho {
  readonly seen: HandlerContext[] = [];

  say(_: unknown, context: HandlerContext): object {
    return this.#reply(context);
  }

  async *repeat(_: unknown, context: HandlerContext): AsyncGenerator<object> {
    yield this.#reply(context);
    yield {};
  }

  async join(requests: AsyncIterable<unknown>, context: HandlerContext): Promise<object> {
    await collect(requests);
    return this.#reply(context);
  }

  async *chat(requests: AsyncIterable<unknown>, context: HandlerContext): AsyncGenerator<object> {
    for await (const _ of requests) {
      yield this.#reply(context);
    }
  }

  #reply(context: HandlerContext): object {
    this.seen.push(context);
    assert.equal(context.signal.aborted, false);
    context.responseHeader.set("Header", "ahead");
    context.responseHeader.append("raw-bin", "/wA");
    context.responseTrailer.append("trailer", "one");
    context.responseTrailer.append("trailer", "two");
    return { sentence: context.requestHeader.get("tenant") ?? "" };
  }
}

describe("a service of Connect, served over DRPC", () => {
  test("answers calls of all four kinds, with the metadata of both sides", async () => {
    const service = new ShowingEcho();
    await use(service as Echo, async (echo) => {
      const told: unknown[] = [];
      const options = {
        metadata: { Tenant: "acme", "key-bin": [Uint8Array.of(1), Uint8Array.of(2)] },
        timeoutMs: 60_000,
        onHeader: (header: Metadata) => told.push(header.get("header"), header.getBinary("raw-bin")),
        onTrailer: (trailer: Metadata) => told.push(trailer.get("trailer")),
      };
      assert.equal((await echo.say({}, options)).sentence, "acme");
      assert.deepEqual(
        (await collect(echo.repeat({}, options))).map(({ sentence }) => sentence),
        ["acme", ""],
      );
      assert.equal((await echo.join(streamOf({}), options)).sentence, "acme");
      assert.equal((await collect(echo.chat(streamOf({}), options))).length, 1);
      assert.deepEqual(
        told,
        Array(4)
          .fill(["ahead", Uint8Array.of(255, 0), "one, two"])
          .flat(),
      );
    });
    assert.deepEqual(
      service.seen.map(({ url, protocolName, requestMethod, method }) => [
        url,
        protocolName,
        requestMethod,
        method.name,
      ]),
      ["Say", "Repeat", "Join", "Chat"].map((name) => [`drpc:///echo.v1.EchoService/${name}`, "drpc", "POST", name]),
    );
    for (const { timeoutMs, requestHeader, signal } of service.seen) {
      assert.ok((timeoutMs() ?? 0) > 50_000);
      assert.equal(requestHeader.get("key-bin"), "AQ,Ag");
      assert.ok(signal.aborted, "Connect's signal aborts when a call is over");
    }
  });

  test("fails with the ConnectError that it throws: code, text, details, and its metadata in the trailer", async () => {
    const fail = (context: HandlerContext): never => {
      context.responseTrailer.set("trailer", "behind");
      const details = [{ desc: DurationSchema, value: { seconds: 3n } }];
      throw new ConnectError("not here", Code.NotFound, { "of-error": "also" }, details);
    };
    const service: Echo = {
      say(_, context) {
        context.responseHeader.set("header", "ahead");
        return fail(context);
      },
      async *repeat(_, context) {
        context.responseHeader.set("header", "ahead");
        yield {};
        fail(context);
      },
    };
    await use(service, async (echo) => {
      for (const call of [echo.say, (...call: Parameters<typeof echo.repeat>) => collect(echo.repeat(...call))]) {
        const told: (string | undefined)[] = [];
        const error: unknown = await call(
          {},
          {
            onHeader: (header) => told.push(header.get("header")),
            onTrailer: (trailer) => told.push(trailer.get("trailer"), trailer.get("of-error")),
          },
        ).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof DrpcError);
        assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "not here"]);
        assert.deepEqual(error.findDetails(DurationSchema), [create(DurationSchema, { seconds: 3n })]);
        assert.deepEqual(told, ["ahead", "behind", "also"]);
      }
    });
  });

  test("passes an error of another server on without the metadata that came with it", async () => {
    const other: Echo = {
      say(_, { responseTrailer }) {
        responseTrailer.set("inside", "secret");
        throw new ConnectError("not here", Code.NotFound);
      },
    };
    await using transport = createRouterTransport((router) =>
      addConnectRoutes(router, (connectRouter) => connectRouter.service(EchoService, other)),
    );
    const inner = createClient(EchoService, toConnectTransport(transport));
    await use({ say: () => inner.say({}) }, async (echo) => {
      const told: Metadata[] = [];
      const call = echo.say({}, { onTrailer: (trailer) => told.push(trailer) });
      await assert.rejects(call, { code: Code.NotFound, rawMessage: "not here" });
      assert.deepEqual(told, []);
    });
  });

  test("keeps what it throws that is no ConnectError from the caller, and the server's onError is told", async () => {
    const reported: unknown[] = [];
    const secret = new Error("secret");
    const service: Echo = {
      say() {
        throw secret;
      },
      // biome-ignore lint/correctness/useYield: it fails before
      async *repeat() {
        throw secret;
      },
    };
    await use(
      service,
      async (echo) => {
        const expected = { code: Code.Unknown, message: /the handler failed/ };
        await assert.rejects(echo.say({}), expected);
        await assert.rejects(collect(echo.repeat({})), expected);
      },
      {},
      { server: { onError: (reason) => reported.push(reason) } },
    );
    assert.deepEqual(reported, [secret, secret]);
  });

  test("answers Unimplemented for methods that it leaves out, and takes single methods", async () => {
    await use(
      (router) =>
        router
          .rpc(EchoService.method.join, async () => ({ sentence: "single" }))
          .service(EchoService, { say: () => ({}) }),
      async (echo) => {
        assert.equal((await echo.join(streamOf())).sentence, "single");
        assert.equal((await echo.say({})).sentence, "");
        await assert.rejects(collect(echo.repeat({})), { code: Code.Unimplemented });
      },
    );
    const twice = (router: ConnectRouter) =>
      router.service(EchoService, { say: () => ({}) }).rpc(EchoService.method.say, () => ({}));
    assert.throws(() => addConnectRoutes(createRouter(), twice), /\/echo.v1.EchoService\/Say is registered already/);
  });

  test("goes through Connect's interceptors, which may replace header and trailer, inside those of DRPC", async () => {
    const key = createContextKey("default");
    const replacing: Interceptor = (next) => async (request) => {
      request.contextValues.set(key, `${request.contextValues.get(key)} and Connect`);
      const response = await next(request);
      return { ...response, header: new Headers({ header: "replaced" }), trailer: new Headers({ trailer: "too" }) };
    };
    const drpc: DrpcInterceptor = (next) => (request) => {
      request.contextValues.set(key, "DRPC");
      return next(request);
    };
    const service: Echo = {
      say: (_, { values }) => ({ sentence: values.get(key) }),
      async *repeat(_, { values, responseHeader }) {
        responseHeader.set("lost", "yes");
        yield { sentence: values.get(key) };
      },
      join: async (requests) => ({ sentence: String((await collect(requests)).length) }),
    };
    await use(
      service,
      async (echo) => {
        const told: unknown[] = [];
        const options = {
          onHeader: (header: Metadata) => told.push([...header]),
          onTrailer: (trailer: Metadata) => told.push([...trailer]),
        };
        assert.equal((await echo.say({}, options)).sentence, "DRPC and Connect");
        assert.equal((await collect(echo.repeat({}, options)))[0]?.sentence, "DRPC and Connect");
        assert.equal((await echo.join(streamOf({}, {}), options)).sentence, "2");
        assert.deepEqual(
          told,
          Array(3)
            .fill([[["header", "replaced"]], [["trailer", "too"]]])
            .flat(),
        );
      },
      { interceptors: [replacing] },
      { server: { interceptors: [drpc] } },
    );
  });

  test("is guarded by Connect's requestGate and maxTimeoutMs", () =>
    use(
      { say: () => ({}), repeat: async function* () {} },
      async (echo) => {
        await assert.rejects(echo.say({}), { code: Code.Unauthenticated });
        await assert.rejects(collect(echo.repeat({})), { code: Code.Unauthenticated });
        await echo.say({}, { metadata: { token: "t" } });
        await assert.rejects(echo.say({}, { metadata: { token: "t" }, timeoutMs: 5_000 }), {
          code: Code.InvalidArgument,
          message: /maxTimeoutMs is 1000/,
        });
      },
      {
        maxTimeoutMs: 1_000,
        requestGate({ requestHeader }) {
          if (requestHeader.get("token") !== "t") {
            throw new ConnectError("who are you?", Code.Unauthenticated);
          }
        },
      },
    ));

  test("is told by its signal that the caller canceled, in Connect's words, and of a shutdown", async () => {
    const shutdown = new AbortController();
    const reasons: unknown[] = [];
    let started: () => void = () => undefined;
    const service: Echo = {
      async say(_, { signal }) {
        started();
        await once(signal, "abort");
        reasons.push(signal.reason);
        throw signal.reason;
      },
      async *repeat() {
        yield {};
        yield {};
      },
    };
    await use(
      service,
      async (echo) => {
        const controller = new AbortController();
        started = () => queueMicrotask(() => controller.abort());
        await assert.rejects(echo.say({}, { signal: controller.signal }), { code: Code.Canceled });
        for await (const _ of echo.repeat({})) {
          break;
        }
        // Whatever is canceled before is seen by the server before.
        await collect(echo.repeat({}));
        assert.deepEqual(getEventListeners(shutdown.signal, "abort"), []);
        started = () => queueMicrotask(() => shutdown.abort(new ConnectError("come back later", Code.Unavailable)));
        await assert.rejects(echo.say({}), { code: Code.Unavailable, rawMessage: "come back later" });
      },
      { shutdownSignal: shutdown.signal },
    );
    const [canceled] = reasons;
    assert.ok(canceled instanceof ConnectError && canceled.code === Code.Canceled);
  });

  test("refuses a call whose metadata headers cannot carry, and names the key", () =>
    use({ say: () => ({}) }, async (echo) => {
      await assert.rejects(echo.say({}, { metadata: { "no header": "" } }), {
        code: Code.InvalidArgument,
        message: /"no header"/,
      });
    }));
});
