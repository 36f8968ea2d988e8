// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import {
  Channel,
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { type CallOptions, Code, DrpcError, type Interceptor, PushStream } from "@ts-drpc/core";
import { createEchoServiceClient, EchoService } from "@ts-drpc-internal/fixtures";
import { addGrpcService, createGrpcClient, createGrpcTransport, type GrpcTransportOptions } from "../src/index.js";
import { collect, listen, useEcho } from "./harness.js";

const insecure = credentials.createInsecure();

describe("createGrpcTransport", () => {
  test("calls through a channel or a client of the caller's own, and leaves it open", async (t) => {
    const { address } = await useEcho(t);
    const client = new Client(address, insecure);
    const channel = new Channel(address, insecure, {});
    t.after(() => client.close());
    t.after(() => channel.close());
    for (const target of [{ client }, { channel }] satisfies GrpcTransportOptions[]) {
      for (const sentence of ["one transport", "another"]) {
        const transport = createGrpcTransport(target);
        assert.equal((await createEchoServiceClient(transport).say({ sentence })).sentence, sentence);
        await transport.close();
      }
    }
    assert.equal((await createGrpcClient(EchoService, client).say({ sentence: "still" })).sentence, "still");
  });

  test("takes calls through the interceptors of the client", async (t) => {
    const seen: string[] = [];
    const interceptor: Interceptor = (next) => async (request) => {
      seen.push(`${request.method.name} ${request.stream}`);
      request.metadata.set("tenant", "acme");
      return next(request);
    };
    const handler = {
      say: (_request: unknown, { metadata }: { metadata: { get(key: string): string | undefined } }) => ({
        sentence: metadata.get("tenant") ?? "",
      }),
      async *repeat() {
        yield {};
      },
    };
    const { echo } = await useEcho(t, handler, { client: { interceptors: [interceptor] } });
    assert.equal((await echo.say({})).sentence, "acme");
    assert.equal((await collect(echo.repeat({}))).length, 1);
    assert.deepEqual(seen, ["Say false", "Repeat true"]);
  });

  test("gives calls without a time of their own the default one", async (t) => {
    const { echo } = await useEcho(
      t,
      { say: () => new Promise(() => undefined) },
      { client: { defaultTimeoutMs: 30 } },
    );
    await assert.rejects(echo.say({}), { code: Code.DeadlineExceeded });
  });

  test("fails a call before it begins for a signal that has aborted, and a time that is over", async (t) => {
    let calls = 0;
    const { echo } = await useEcho(t, {
      say() {
        calls++;
        return {};
      },
    });
    const notStarted = (code: number) => ({ code, notStarted: true });
    await assert.rejects(echo.say({}, { signal: AbortSignal.abort() }), notStarted(Code.Canceled));
    await assert.rejects(echo.say({}, { timeoutMs: 0 }), notStarted(Code.DeadlineExceeded));
    await assert.rejects(collect(echo.repeat({}, { timeoutMs: -1 })), notStarted(Code.DeadlineExceeded));
    assert.equal(calls, 0);
  });

  test("refuses metadata that gRPC cannot carry, and says which", async (t) => {
    const { echo } = await useEcho(t);
    const refused: [CallOptions["metadata"], RegExp][] = [
      [{ name: "Zoë" }, /metadata key "name" cannot go over gRPC: its text is not printable ASCII/],
      [{ "a name": "Zoe" }, /metadata key "a name" cannot go over gRPC: it is reserved/],
      [{ "grpc-status": "0" }, /metadata key "grpc-status" cannot go over gRPC: it is reserved/],
      [{ Connection: "close" }, /metadata key "Connection" cannot go over gRPC: it is reserved/],
    ];
    for (const [metadata, message] of refused) {
      const expected = { code: Code.InvalidArgument, notStarted: true, message };
      await assert.rejects(echo.say({}, { metadata }), expected);
      const requests = new PushStream<{ sentence: string }>();
      await assert.rejects(echo.join(requests, { metadata }), expected);
      await assert.rejects(requests.send({ sentence: "too late" }), { message });
    }
    assert.equal((await echo.say({ sentence: "next" })).sentence, "next");
  });

  test("refuses a message above maxMessageBytes, in both directions", async (t) => {
    const handler = {
      say: () => ({ attachment: new Uint8Array(2_000) }),
      async *repeat() {
        yield { attachment: new Uint8Array(2_000) };
      },
      join: async (requests: AsyncIterable<unknown>) => {
        await collect(requests);
        return {};
      },
    };
    const { echo, address } = await useEcho(t, handler, { client: { maxMessageBytes: 1_000 } });
    const attachment = new Uint8Array(1_000);
    const sent = {
      code: Code.ResourceExhausted,
      message: /a message of 1003 bytes was not sent, the limit maxMessageBytes is 1000/,
    };
    await assert.rejects(echo.say({ attachment }), sent);
    const requests = (async function* () {
      yield { attachment };
    })();
    await assert.rejects(echo.join(requests), sent);
    const received = { code: Code.ResourceExhausted, message: /2003 bytes.*the limit maxMessageBytes is 1000/ };
    await assert.rejects(echo.say({}), received);
    await assert.rejects(collect(echo.repeat({})), received);

    // A client of the caller's own has limits of its own.
    const client = new Client(address, insecure);
    t.after(() => client.close());
    const own = createGrpcClient(EchoService, client, { maxMessageBytes: 1_000 });
    await assert.rejects(own.say({}), received);
    await assert.rejects(collect(own.repeat({})), received);
  });

  test("fails with Unimplemented for a second response where there is to be one, and does not wait", async (t) => {
    const grpcServer = new Server();
    t.after(() => grpcServer.forceShutdown());
    const asIs = (body: Buffer): Buffer => body;
    const definition = {
      path: "/echo.v1.EchoService/Say",
      requestStream: false,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    grpcServer.addService(
      { say: definition },
      {
        say(call: ServerWritableStream<Buffer, Buffer>) {
          call.write(Buffer.alloc(0));
          call.write(Buffer.alloc(0));
          call.end();
        },
      },
    );
    const address = await listen(grpcServer);
    const transport = createGrpcTransport({ address, credentials: credentials.createInsecure() });
    t.after(() => transport.close());
    await assert.rejects(createEchoServiceClient(transport).say({}), { code: Code.Unimplemented });
  });

  test("fails with Internal for a response that grpc-js cannot read", async (t) => {
    const http2Server = createHttp2Server();
    t.after(() => http2Server.close());
    http2Server.on("stream", (stream) => {
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // Its flag says that it is compressed, and the header does not say how.
      stream.end(Buffer.from([1, 0, 0, 0, 0]));
    });
    http2Server.listen(0, "localhost");
    await once(http2Server, "listening");
    const { port } = http2Server.address() as AddressInfo;
    const transport = createGrpcTransport({
      address: `localhost:${port}`,
      credentials: credentials.createInsecure(),
    });
    t.after(() => transport.close());
    await assert.rejects(createEchoServiceClient(transport).say({}), (error: unknown) => {
      return error instanceof DrpcError && error.code === Code.Internal && error.rawMessage.includes("could not read");
    });
  });

  test("fails with Internal for a response that is no message, and cancels the call", async (t) => {
    const { client, canceled } = await useGarbage(t);
    const echo = createGrpcClient(EchoService, client);
    const expected = { code: Code.Internal, message: /the response could not be decoded/ };
    await assert.rejects(echo.say({}), expected);
    await assert.rejects(collect(echo.repeat({})), expected);
    await canceled;
  });

  test("fails calls with what onHeader and onTrailer throw", async (t) => {
    const handler = {
      say: (_request: unknown, { responseHeader, responseTrailer }: HandlerMetadata) => {
        responseHeader.set("a", "1");
        responseTrailer.set("b", "2");
        return {};
      },
      async *repeat(_request: unknown, { responseHeader, responseTrailer }: HandlerMetadata) {
        responseHeader.set("a", "1");
        responseTrailer.set("b", "2");
        yield {};
      },
    };
    const { echo } = await useEcho(t, handler);
    const thrown = (): void => {
      throw new Error("not today");
    };
    for (const options of [{ onHeader: thrown }, { onTrailer: thrown }]) {
      await assert.rejects(echo.say({}, options), { message: /not today/ });
      await assert.rejects(collect(echo.repeat({}, options)), { message: /not today/ });
    }
  });

  test("fails with Unavailable if nobody listens", async (t) => {
    const transport = createGrpcTransport({ address: "localhost:1", credentials: insecure });
    t.after(() => transport.close());
    await assert.rejects(createEchoServiceClient(transport).say({}), {
      code: Code.Unavailable,
      message: /ECONNREFUSED/,
    });
  });

  test("waits for a server that is not there yet, if it is told to", async (t) => {
    const { address, server } = await useEcho(t);
    server.forceShutdown();
    const channelOptions = { "grpc.initial_reconnect_backoff_ms": 50 };
    const transport = createGrpcTransport({ address, credentials: insecure, channelOptions });
    t.after(() => transport.close());
    const echo = createEchoServiceClient(transport);
    await assert.rejects(echo.say({}), { code: Code.Unavailable });
    const said = echo.say({ sentence: "patience" }, { waitForReady: true });
    const later = new Server();
    t.after(() => later.forceShutdown());
    addGrpcService(later, EchoService, { say: ({ sentence }) => ({ sentence }) });
    await new Promise<void>((resolve, reject) => {
      later.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
    assert.equal((await said).sentence, "patience");
  });

  test("fails with Unavailable through a client that was closed", async () => {
    const client = new Client("localhost:1", insecure);
    client.close();
    const echo = createGrpcClient(EchoService, client);
    await assert.rejects(echo.say({}), { code: Code.Unavailable, notStarted: true });
    await assert.rejects(collect(echo.repeat({})), { code: Code.Unavailable, notStarted: true });
  });

  test("cancels calls that go on after the time that closing gives them", async (t) => {
    let started = 0;
    let tell = (): void => undefined;
    const both = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const hang = (): Promise<never> => {
      started++;
      if (started === 2) {
        tell();
      }
      return new Promise(() => undefined);
    };
    const { transport, echo } = await useEcho(t, {
      say: hang,
      async *chat() {
        yield await hang();
      },
    });
    const calls = [echo.say({}), collect(echo.chat(new PushStream()))];
    const ended = Promise.all(calls.map((call) => assert.rejects(call, { message: /the transport was closed/ })));
    await both;
    await transport.close({ drainMs: 1 });
    await ended;
  });

  test("refuses requests that are no iterable", async (t) => {
    const { echo } = await useEcho(t);
    await assert.rejects(collect(echo.chat(7 as never)), (error: DrpcError) => {
      assert.equal(error.code, Code.InvalidArgument);
      return error.notStarted;
    });
  });

  test("names an option with a wrong value", () => {
    const create = (options: object) => () =>
      createGrpcTransport({ address: "localhost:1", credentials: insecure, ...options });
    assert.throws(create({ maxMessageBytes: 0.5 }), { name: "RangeError", message: /^maxMessageBytes must be/ });
    assert.throws(create({ defaultTimeoutMs: -1 }), { name: "RangeError", message: /^defaultTimeoutMs must be/ });
    assert.throws(create({ interceptors: {} }), { name: "TypeError", message: /^interceptors must be/ });
    assert.throws(create({ address: "" }), { name: "TypeError", message: /needs an address/ });
  });
});

interface HandlerMetadata {
  readonly responseHeader: { set(key: string, value: string): unknown };
  readonly responseTrailer: { set(key: string, value: string): unknown };
}

/** A server of grpc-js that answers with what is no message, and a client of it. */
async function useGarbage(t: {
  after(dispose: () => void): void;
}): Promise<{ client: Client; canceled: Promise<unknown> }> {
  const garbage = { responseSerialize: () => Buffer.from([0xff, 0xff]), responseDeserialize: () => 0 };
  const any = { requestSerialize: () => Buffer.alloc(0), requestDeserialize: () => ({}) };
  const service = "/echo.v1.EchoService";
  const server = new Server();
  t.after(() => server.forceShutdown());
  let cancel: (value: unknown) => void = () => undefined;
  const canceled = new Promise((resolve) => {
    cancel = resolve;
  });
  server.addService(
    {
      say: { path: `${service}/Say`, requestStream: false, responseStream: false, ...any, ...garbage },
      repeat: { path: `${service}/Repeat`, requestStream: false, responseStream: true, ...any, ...garbage },
    },
    {
      say: (_call: unknown, callback: (error: null, value: object) => void) => callback(null, {}),
      repeat: (call: import("@grpc/grpc-js").ServerWritableStream<object, object>) => {
        call.sendMetadata(new Metadata());
        call.write({});
        call.once("cancelled", cancel);
      },
    },
  );
  const client = new Client(await listen(server), insecure);
  t.after(() => client.close());
  return { client, canceled };
}
