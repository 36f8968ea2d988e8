// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type Transport as ConnectTransport,
  createContextKey,
  createRouterTransport,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { ContextValues, DrpcError, type Metadata, PushStream } from "@ts-drpc/core";
import { createEchoServiceClient, EchoService } from "@ts-drpc-internal/fixtures";
import { fromConnectTransport } from "../src/index.js";
import { collect, streamOf } from "./harness.js";

type Echo = Partial<ServiceImpl<typeof EchoService>>;

function connectTo(echo: Echo, interceptors: Interceptor[] = []): ConnectTransport {
  return createRouterTransport((router) => router.service(EchoService, echo), { transport: { interceptors } });
}

/** A Connect transport that neither answers nor listens. */
const deaf: ConnectTransport = {
  unary: () => new Promise(() => undefined),
  stream: () => new Promise(() => undefined),
};

describe("a ts-drpc client over a Connect transport", () => {
  test("sends metadata and is told of the server's, ahead and behind", async () => {
    const echo = createEchoServiceClient(
      fromConnectTransport(
        connectTo({
          say(_, { requestHeader, responseHeader, responseTrailer }) {
            responseHeader.append("raw-bin", "AQ");
            responseHeader.append("raw-bin", "Ag==");
            responseTrailer.set("behind", "yes");
            return { sentence: requestHeader.get("tenant") ?? "" };
          },
          async *repeat(_, { responseTrailer }) {
            yield {};
            responseTrailer.set("behind", "yes");
          },
        }),
      ),
    );
    const headers: unknown[] = [];
    const trailers: unknown[] = [];
    const options = {
      metadata: { Tenant: "acme" },
      onHeader: (header: Metadata) => headers.push([...header]),
      onTrailer: (trailer: Metadata) => trailers.push([...trailer]),
    };
    assert.equal((await echo.say({}, options)).sentence, "acme");
    await collect(echo.repeat({}, options));
    // The second call has no header but those of HTTP and Connect, which are nobody else's business.
    assert.deepEqual(headers, [
      [
        ["raw-bin", Uint8Array.of(1)],
        ["raw-bin", Uint8Array.of(2)],
      ],
    ]);
    assert.deepEqual(trailers, [[["behind", "yes"]], [["behind", "yes"]]]);
  });

  test("gets errors as ts-drpc has them, and is told of the metadata with them", async () => {
    const details = [{ desc: DurationSchema, value: { seconds: 3n } }];
    const fail = (): never => {
      throw new ConnectError("not here", Code.NotFound, { "of-error": "yes" }, details);
    };
    const service: Echo = {
      say: fail,
      async *repeat(_, { responseHeader }) {
        responseHeader.set("ahead", "yes");
        yield {};
        fail();
      },
    };
    const echo = createEchoServiceClient(fromConnectTransport(connectTo(service)));
    for (const [call, ahead] of [
      [echo.say, []],
      [(...call: Parameters<typeof echo.repeat>) => collect(echo.repeat(...call)), [[["ahead", "yes"]]]],
    ] as const) {
      const headers: unknown[] = [];
      const trailers: unknown[] = [];
      const error: unknown = await call(
        {},
        { onHeader: (header) => headers.push([...header]), onTrailer: (trailer) => trailers.push([...trailer]) },
      ).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof DrpcError && error.cause instanceof ConnectError);
      assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "not here"]);
      assert.deepEqual(error.findDetails(DurationSchema), [create(DurationSchema, { seconds: 3n })]);
      assert.deepEqual(headers, ahead);
      assert.deepEqual(trailers, [[["of-error", "yes"]]]);
    }
  });

  test("gets Unknown for a code that is none", async () => {
    const transport: ConnectTransport = {
      unary: () => Promise.reject(new ConnectError("odd", -1 as Code)),
      stream: () => Promise.reject(new TypeError("no stream")),
    };
    const echo = createEchoServiceClient(fromConnectTransport(transport));
    await assert.rejects(echo.say({}), { name: "DrpcError", code: Code.Unknown, rawMessage: "odd" });
    await assert.rejects(collect(echo.repeat({})), { name: "DrpcError", code: Code.Unknown, rawMessage: "no stream" });
  });

  test("ends its calls even if the Connect transport does not listen", async () => {
    const transport = fromConnectTransport(deaf);
    const echo = createEchoServiceClient(transport);
    const { signal } = new AbortController();
    await assert.rejects(echo.say({}, { timeoutMs: 10, signal }), { code: Code.DeadlineExceeded });
    await assert.rejects(collect(echo.repeat({}, { timeoutMs: 10, signal })), { code: Code.DeadlineExceeded });
    assert.deepEqual(getEventListeners(signal, "abort"), []);

    const requests = new PushStream<object>();
    const replies = echo.chat(requests)[Symbol.asyncIterator]();
    const sent = assert.rejects(requests.send({}), { code: Code.Canceled });
    const read = assert.rejects(replies.next(), { code: Code.Canceled, message: /the transport was closed/ });
    await transport.close({ drainMs: 0 });
    await Promise.all([read, sent]);
    await assert.rejects(echo.say({}), { notStarted: true });
  });

  test("fails with what the source of its requests throws", async () => {
    const echo = createEchoServiceClient(
      fromConnectTransport(
        connectTo({ join: async (requests) => ({ sentence: `${(await collect(requests)).length}` }) }),
      ),
    );
    async function* broken(): AsyncGenerator<object> {
      yield {};
      throw new DrpcError("no more", Code.FailedPrecondition);
    }
    await assert.rejects(echo.join(broken()), { code: Code.FailedPrecondition, rawMessage: "no more" });
    await assert.rejects(echo.join(7 as never), { code: Code.InvalidArgument });
  });

  test("fails with what its own onHeader or onTrailer throws", async () => {
    const service: Echo = {
      say(_, { responseHeader }) {
        responseHeader.set("ahead", "yes");
        return {};
      },
      async *repeat(_, { responseTrailer }) {
        yield {};
        responseTrailer.set("behind", "yes");
      },
    };
    const echo = createEchoServiceClient(fromConnectTransport(connectTo(service)));
    const refuse = (): never => {
      throw new DrpcError("not this", Code.DataLoss);
    };
    await assert.rejects(echo.say({}, { onHeader: refuse }), { code: Code.DataLoss });
    await assert.rejects(collect(echo.repeat({}, { onTrailer: refuse })), { code: Code.DataLoss });
  });

  test("goes through its interceptors and then Connect's, with the same context values", async () => {
    const key = createContextKey("default");
    const seen: unknown[] = [];
    const inner: Interceptor = (next) => (request) => {
      seen.push(request.contextValues.get(key));
      request.contextValues.set(key, "Connect");
      return next(request);
    };
    const contextValues = new ContextValues().set(key, "DRPC");
    const echo = createEchoServiceClient(
      fromConnectTransport(connectTo({ say: () => ({}), join: async () => ({}) }, [inner]), {
        interceptors: [
          (next) => async (request) => {
            const response = await next(request);
            seen.push(request.contextValues.get(key));
            request.contextValues.delete(key);
            return response;
          },
        ],
      }),
    );
    await echo.say({}, { contextValues });
    assert.deepEqual(seen, ["DRPC", "Connect"]);
    const plain = createEchoServiceClient(fromConnectTransport(connectTo({ say: () => ({}) }, [inner])));
    await plain.say({}, { contextValues });
    assert.equal(contextValues.get(key), "Connect");
    await plain.say({});
    assert.deepEqual(seen.slice(2), ["default", "default"]);
  });

  test("refuses metadata that HTTP cannot carry, and names the key", async () => {
    const echo = createEchoServiceClient(fromConnectTransport(connectTo({ say: () => ({}) })));
    const expected = { code: Code.InvalidArgument, notStarted: true, message: /"content-type" cannot go over HTTP/ };
    await assert.rejects(echo.say({}, { metadata: { "content-type": "text/html" } }), expected);
    const call = collect(echo.chat(streamOf({}), { metadata: { "no header": "" } }));
    await assert.rejects(call, { code: Code.InvalidArgument, notStarted: true, message: /"no header"/ });
  });

  test("tells a handler of a deadline", async () => {
    const timeouts: (number | undefined)[] = [];
    const note = (context: { readonly timeoutMs: () => number | undefined }): object => {
      timeouts.push(context.timeoutMs());
      return {};
    };
    const echo = createEchoServiceClient(fromConnectTransport(connectTo({ say: (_, context) => note(context) })));
    await echo.say({}, { timeoutMs: 60_000 });
    await echo.say({});
    await echo.say({}, { timeoutMs: 3_000_000_000 });
    assert.ok(timeouts[0] !== undefined && timeouts[0] > 50_000 && timeouts[0] <= 60_000);
    assert.equal(timeouts[1], undefined);
    assert.ok((timeouts[2] ?? 0) > 2_000_000_000, "longer than a timer can be");
  });
});
