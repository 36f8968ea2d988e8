// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { describe, type TestContext, test } from "node:test";
import {
  Client,
  type ClientUnaryCall,
  credentials,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Code, createContextKey, createRouter, DrpcError, type HandlerContext, type Interceptor } from "@ts-drpc/core";
import {
  certificates,
  createEchoServiceClient,
  EchoHandler,
  EchoService,
  registerEchoService,
  SayRequestSchema,
} from "@ts-drpc-internal/fixtures";
import { addGrpcRoutes, addGrpcService, createGrpcTransport } from "../src/index.js";
import { collect, listen, useEcho } from "./harness.js";

const say = "/echo.v1.EchoService/Say";
const join = "/echo.v1.EchoService/Join";

describe("addGrpcService", () => {
  test("gives handlers the metadata, the deadline and the peer of a call", async (t) => {
    let seen: HandlerContext | undefined;
    const { echo } = await useEcho(t, {
      say(_request, context) {
        seen = context;
        return {};
      },
    });
    const raw = new Uint8Array([0, 255]);
    await echo.say({}, { timeoutMs: 60_000, metadata: { tenant: "acme", "raw-bin": raw } });
    assert.equal(seen?.metadata.get("tenant"), "acme");
    assert.deepEqual([...(seen.metadata.getBinary("raw-bin") ?? [])], [...raw]);
    assert.deepEqual(
      [...seen.metadata.keys()].filter((key) => key.startsWith("grpc-") || key === "content-type"),
      [],
    );
    const left = seen.deadline?.remainingMs ?? 0;
    assert.ok(left > 0 && left <= 60_000, `${left} ms are left`);
    assert.match(seen.peer.address, /^(127\.0\.0\.1|\[?::1\]?):\d+$/);
    assert.equal(seen.service.typeName, "echo.v1.EchoService");
  });

  test("tells a caller of the metadata of the server, ahead of and behind the responses", async (t) => {
    const setMetadata = ({ responseHeader, responseTrailer }: HandlerContext): void => {
      responseHeader.set("before", "1").set("before-bin", new Uint8Array([1]));
      responseTrailer.set("after", "2").set("after-bin", new Uint8Array([2]));
    };
    const { echo } = await useEcho(t, {
      say(request, context) {
        setMetadata(context);
        return { sentence: request.sentence };
      },
      async *repeat(_request, context) {
        setMetadata(context);
        yield {};
        throw new DrpcError("in the end", Code.Aborted);
      },
    });
    const told: unknown[] = [];
    const options = {
      onHeader: (header: Iterable<unknown>) => told.push([...header]),
      onTrailer: (trailer: Iterable<unknown>) => told.push([...trailer]),
    };
    const expected = [
      [
        ["before", "1"],
        ["before-bin", Uint8Array.of(1)],
      ],
      [
        ["after", "2"],
        ["after-bin", Uint8Array.of(2)],
      ],
    ];
    await echo.say({}, options);
    assert.deepEqual(told.splice(0), expected);
    await assert.rejects(collect(echo.repeat({}, options)), { code: Code.Aborted });
    assert.deepEqual(told, expected);
  });

  test("sends the details of an error, and a code without a name as Unknown", async (t) => {
    const { echo } = await useEcho(t, {
      say({ sentence }) {
        const details = [{ desc: SayRequestSchema, value: { sentence: "more" } }];
        throw new DrpcError("no", sentence === "own code" ? 4_711 : Code.FailedPrecondition, { details });
      },
    });
    for (const [sentence, code] of [
      ["", Code.FailedPrecondition],
      ["own code", Code.Unknown],
    ] as const) {
      await assert.rejects(echo.say({ sentence }), (error: DrpcError) => {
        assert.deepEqual([error.code, error.rawMessage], [code, "no"]);
        assert.deepEqual(
          error.findDetails(SayRequestSchema).map((detail) => detail.sentence),
          ["more"],
        );
        return true;
      });
    }
  });

  test("sends the text of an error whatever is in it, and cuts it at 4 KiB", async (t) => {
    const texts = ["%41 é\n\0", "half a \ud800 character", `${"x".repeat(4_095)}é`];
    const { echo } = await useEcho(t, {
      say({ sentence }) {
        throw new DrpcError(texts[Number(sentence)] ?? "", Code.Aborted);
      },
    });
    const expected = [texts[0], "half a \ufffd character", "x".repeat(4_095)];
    for (const [index, rawMessage] of expected.entries()) {
      await assert.rejects(echo.say({ sentence: String(index) }), { code: Code.Aborted, rawMessage });
    }
  });

  test("keeps from the caller what a handler throws that is no DrpcError, and tells onError", async (t) => {
    const told: unknown[] = [];
    const onError = (reason: unknown): void => {
      told.push(reason);
    };
    const secret = new Error("secret");
    const handler = {
      say() {
        throw secret;
      },
      async *repeat() {
        yield {};
        throw secret;
      },
    };
    const { echo } = await useEcho(t, handler, { server: { onError } });
    const expected = (path: string) => ({
      code: Code.Unknown,
      rawMessage: `/echo.v1.EchoService/${path}: the handler failed`,
    });
    await assert.rejects(echo.say({}), expected("Say"));
    await assert.rejects(collect(echo.repeat({})), expected("Repeat"));
    assert.deepEqual(told, [secret, secret]);
  });

  test("takes metadata that gRPC cannot carry for a fault of the handler", async (t) => {
    const told: string[] = [];
    const handler = {
      say({ sentence }: { sentence: string }, { responseHeader, responseTrailer }: HandlerContext) {
        (sentence === "header" ? responseHeader : responseTrailer).set("name", "Zoë");
        return {};
      },
    };
    const { echo } = await useEcho(t, handler, { server: { onError: (reason) => told.push(String(reason)) } });
    for (const sentence of ["header", "trailer"]) {
      await assert.rejects(echo.say({ sentence }), { code: Code.Unknown });
    }
    assert.equal(told.length, 2);
    assert.match(told.join(), /metadata key "name" cannot go over gRPC: its text is not printable ASCII/);
  });

  test("answers Unimplemented for what the handler leaves out, whatever the kind of the method", async (t) => {
    const { echo } = await useEcho(t, {});
    const none = (async function* () {})();
    await assert.rejects(echo.say({}), { code: Code.Unimplemented });
    await assert.rejects(collect(echo.repeat({})), { code: Code.Unimplemented });
    await assert.rejects(echo.join(none), { code: Code.Unimplemented });
    await assert.rejects(collect(echo.chat(none)), { code: Code.Unimplemented });
  });

  test("asks the gate, and goes through the interceptors", async (t) => {
    const user = createContextKey("nobody");
    const seen: string[] = [];
    const interceptor: Interceptor = (next) => async (request) => {
      seen.push(`${request.method.name} for ${request.contextValues.get(user)}`);
      return next(request);
    };
    const gate = ({ metadata, contextValues }: HandlerContext): void => {
      if (metadata.get("token") === undefined) {
        throw new DrpcError("who are you?", Code.Unauthenticated);
      }
      contextValues.set(user, "Zoe");
    };
    const { echo } = await useEcho(t, new EchoHandler(), { server: { gate, interceptors: [interceptor] } });
    await assert.rejects(echo.say({}), { code: Code.Unauthenticated, rawMessage: "who are you?" });
    await assert.rejects(collect(echo.repeat({ times: 1 })), { code: Code.Unauthenticated });
    const metadata = { token: "secret" };
    await echo.say({}, { metadata });
    assert.equal((await collect(echo.repeat({ times: 2 }, { metadata }))).length, 2);
    assert.deepEqual(seen, ["Say for Zoe", "Repeat for Zoe"]);
  });

  test("asks the gate before any message has come, also where there is to be just one", async (t) => {
    const gate = (): void => {
      throw new DrpcError("closed", Code.PermissionDenied);
    };
    const { address } = await useEcho(t, new EchoHandler(), { server: { gate } });
    for (const path of [say, join]) {
      const stream = openStream(t, address, path);
      // Nothing is sent but the head.
      const [trailer] = await once(stream.resume(), "response");
      assert.deepEqual([trailer["grpc-status"], trailer["grpc-message"]], [String(Code.PermissionDenied), "closed"]);
    }
  });

  test("answers Unimplemented to a call with other than one request where the method has one", async (t) => {
    const served: unknown[] = [];
    const { address } = await useEcho(t, {
      say(request) {
        served.push(request);
        return {};
      },
    });
    for (const [count, expected] of [
      [0, Code.Unimplemented],
      [1, 0],
      [2, Code.Unimplemented],
    ] as const) {
      const stream = openStream(t, address, say);
      stream.resume().end(Buffer.alloc(5 * count));
      const [header] = await once(stream, "response");
      const [{ "grpc-status": code }] = "grpc-status" in header ? [header] : await once(stream, "trailers");
      assert.equal(code, String(expected), `${count} requests`);
    }
    assert.equal(served.length, 1);
  });

  test("refuses a message above maxMessageBytes, in both directions", async (t) => {
    const handler = {
      say: ({ attachment }: { attachment: Uint8Array }) => ({ attachment: new Uint8Array(attachment.length * 3) }),
      join: async (requests: AsyncIterable<unknown>) => {
        await collect(requests);
        return {};
      },
    };
    const { echo } = await useEcho(t, handler, { server: { maxMessageBytes: 1_000 } });
    const attachment = new Uint8Array(2_000);
    await assert.rejects(echo.say({ attachment }), {
      code: Code.ResourceExhausted,
      message: /the peer sent a message of 2003 bytes, the limit maxMessageBytes is 1000/,
    });
    const requests = (async function* () {
      yield { attachment };
    })();
    await assert.rejects(echo.join(requests), { code: Code.ResourceExhausted });
    await assert.rejects(echo.say({ attachment: new Uint8Array(500) }), {
      code: Code.ResourceExhausted,
      message: /a message of 1503 bytes was not sent, the limit maxMessageBytes is 1000/,
    });
  });

  test("sends more than it takes if maxSendMessageBytes says so, and names that limit", async (t) => {
    const handler = {
      say: ({ attachment }: { attachment: Uint8Array }) => ({ attachment: new Uint8Array(attachment.length * 3) }),
    };
    const server = { maxMessageBytes: 1_000, maxSendMessageBytes: 2_000 };
    const { echo } = await useEcho(t, handler, { server });
    assert.equal((await echo.say({ attachment: new Uint8Array(500) })).attachment.length, 1_500);
    await assert.rejects(echo.say({ attachment: new Uint8Array(700) }), {
      code: Code.ResourceExhausted,
      message: /a message of 2103 bytes was not sent, the limit maxSendMessageBytes is 2000/,
    });
  });

  test("sends bytes without padding, and no text with success", async (t) => {
    const { address } = await useEcho(t, {
      say(_request, { responseHeader, responseTrailer }) {
        responseHeader.set("header-bin", new Uint8Array([1]));
        responseTrailer.set("trailer-bin", new Uint8Array([2])).append("trailer-bin", new Uint8Array([3, 4]));
        return {};
      },
    });
    const session = connectHttp2(`http://${address}`);
    t.after(() => session.destroy());
    const stream = session.request({
      ":method": "POST",
      ":path": say,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(Buffer.alloc(5));
    const [header] = await once(stream, "response");
    stream.resume();
    const [trailer] = await once(stream, "trailers");
    assert.equal(header["header-bin"], "AQ");
    assert.equal(trailer["trailer-bin"], "Ag, AwQ");
    assert.equal(trailer["grpc-message"], "");
  });

  test("answers Internal to a request that is no message, and goes on", async (t) => {
    const { address, echo } = await useEcho(t);
    const client = new Client(address, credentials.createInsecure());
    t.after(() => client.close());
    const garbage = (): Buffer => Buffer.from([0xff, 0xff]);
    const same = (bytes: Buffer): Buffer => bytes;
    const code = await new Promise<number | undefined>((resolve) => {
      client.makeUnaryRequest(say, garbage, same, 0, (error) => resolve(error?.code));
    });
    assert.equal(code, status.INTERNAL);
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeClientStreamRequest(join, garbage, same, (reason) => resolve(reason)).write(0);
    });
    assert.equal(error?.code, status.INTERNAL);
    assert.match(error.details, /the request could not be decoded/);
    assert.equal((await echo.say({ sentence: "next" })).sentence, "next");
  });

  test("tells a handler when its caller canceled the call, and when the connection was lost", async (t) => {
    const contexts: HandlerContext[] = [];
    let started: () => void = () => undefined;
    const { address, server } = await useEcho(t, {
      say: (_request, context) =>
        new Promise((_, reject) => {
          contexts.push(context);
          context.signal.addEventListener("abort", () => reject(context.signal.reason));
          started();
        }),
    });
    for (const end of [(call: ClientUnaryCall) => call.cancel(), () => server.forceShutdown()]) {
      const client = new Client(address, credentials.createInsecure());
      t.after(() => client.close());
      const begun = new Promise<void>((resolve) => {
        started = resolve;
      });
      const none = (): Buffer => Buffer.alloc(0);
      const call = client.makeUnaryRequest(say, none, none, 0, () => undefined);
      await begun;
      const { signal } = contexts.at(-1) as HandlerContext;
      const aborted = once(signal, "abort");
      end(call);
      await aborted;
      assert.equal((signal.reason as DrpcError).code, Code.Canceled);
    }
  });

  test("tells who the caller is, by the certificate that it has shown", async (t) => {
    const ca = Buffer.from(certificates.authority);
    const pair = ({ key, cert }: { key: string; cert: string }) => [Buffer.from(key), Buffer.from(cert)] as const;
    const [serverKey, serverCertificate] = pair(certificates.server);
    const [clientKey, clientCertificate] = pair(certificates.client);
    let authInfo: unknown;
    const server = new Server();
    t.after(() => server.forceShutdown());
    addGrpcService(server, EchoService, {
      say(_request, { peer }) {
        authInfo = peer.authInfo;
        return {};
      },
    });
    const serverPair = { private_key: serverKey, cert_chain: serverCertificate };
    const address = await listen(server, ServerCredentials.createSsl(ca, [serverPair], true));
    const transport = createGrpcTransport({
      address,
      credentials: credentials.createSsl(ca, clientKey, clientCertificate),
    });
    t.after(() => transport.close());
    await createEchoServiceClient(transport).say({});
    assert.ok(authInfo !== undefined);
  });

  test("names an option with a wrong value", () => {
    const server = new Server();
    const add = (options: object) => () => addGrpcService(server, EchoService, {}, options);
    assert.throws(add({ maxMessageBytes: 0 }), { name: "RangeError", message: /^maxMessageBytes must be/ });
    assert.throws(add({ gate: "open" }), { name: "TypeError", message: /^gate must be a function/ });
    assert.throws(add({ interceptors: [1] }), { name: "TypeError", message: /^interceptors must be/ });
  });

  test("does not take the place of a handler that the server has", () => {
    const server = new Server();
    addGrpcService(server, EchoService, {});
    assert.throws(() => addGrpcService(server, EchoService, {}), /already provided/);
  });
});

test("addGrpcRoutes serves all that a router serves", async (t) => {
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  const server = new Server();
  t.after(() => server.forceShutdown());
  addGrpcRoutes(server, router);
  const address = await listen(server);
  const transport = createGrpcTransport({ address, credentials: credentials.createInsecure() });
  t.after(() => transport.close());
  assert.equal((await createEchoServiceClient(transport).say({ sentence: "hi" })).sentence, "hi");
});

/** Begins a call on a connection of HTTP/2 of its own. */
function openStream(t: TestContext, address: string, path: string): ClientHttp2Stream {
  const session = connectHttp2(`http://${address}`);
  t.after(() => session.destroy());
  return session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
}
