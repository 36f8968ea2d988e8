// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What grpc-js does in the cases that config/*.excluded.txt leaves out, without ts-drpc. A test that fails here says that
// grpc-js has changed, and that the pattern which names it may go.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { Client, type ClientReadableStream, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";

const path = "/test.Service/Method";
const asIs = (body: Buffer): Buffer => body;

/** Returns a message as gRPC frames it. */
function framed(body: Buffer, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Calls, by grpc-js, a server of HTTP/2 that answers with this body and this status. */
async function callOf(t: TestContext, body: Buffer, code: number): Promise<ClientReadableStream<Buffer>> {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(code) }));
    stream.end(body);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new Client(`localhost:${port}`, credentials.createInsecure());
  t.after(async () => {
    client.close();
    server.close();
    await once(server, "close");
  });
  const call = client.makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0));
  call.on("error", () => undefined);
  return call;
}

function statusOf(call: ClientReadableStream<Buffer>): Promise<number> {
  return new Promise((resolve) => call.on("status", ({ code }) => resolve(code)));
}

describe("a client of grpc-js", () => {
  const five = Buffer.concat(Array.from({ length: 5 }, () => framed(Buffer.from("message"))));

  test("drops the messages before an error that have not been read when it comes", async (t) => {
    const call = await callOf(t, five, status.INTERNAL);
    assert.equal(await statusOf(call), status.INTERNAL);
    assert.deepEqual(await call.toArray().catch(() => []), []);
  });

  test("keeps those before a status without an error", async (t) => {
    const call = await callOf(t, five, status.OK);
    const code = statusOf(call);
    assert.equal((await call.toArray()).length, 5);
    assert.equal(await code, status.OK);
  });

  for (const bytes of [3, 9]) {
    test(`drops the first ${bytes} bytes of a message that a body ends inside of`, async (t) => {
      const call = await callOf(t, framed(Buffer.from("message")).subarray(0, bytes), status.OK);
      const code = statusOf(call);
      assert.deepEqual(await call.toArray(), []);
      assert.equal(await code, status.OK);
    });
  }
});

/** Sends a request to a server of grpc-js, and returns the status of its answer and how many messages it saw. */
async function request(t: TestContext, headers: object, body: Buffer): Promise<readonly [code: unknown, seen: number]> {
  const server = new Server();
  let seen = 0;
  const definition = { requestStream: true, responseStream: false, requestSerialize: asIs, requestDeserialize: asIs };
  server.addService(
    { method: { path, ...definition, responseSerialize: asIs, responseDeserialize: asIs } },
    {
      method(call: NodeJS.ReadableStream, callback: (error: null, response: Buffer) => void) {
        call.on("data", () => seen++);
        call.on("end", () => callback(null, Buffer.alloc(0)));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("localhost:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const session = connect(`http://localhost:${port}`);
  t.after(() => {
    session.destroy();
    server.forceShutdown();
  });
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.resume().end(body);
  const [trailers] = await once(stream, "trailers");
  return [trailers["grpc-status"], seen];
}

describe("a server of grpc-js", () => {
  const message = framed(Buffer.from("message"));
  const wrong: readonly (readonly [what: string, headers: object, body: Buffer, seen: number])[] = [
    ["a verb other than POST", { ":method": "PUT" }, message, 1],
    ["a content-type that only begins as that of gRPC", { "content-type": "application/grpc+none" }, message, 1],
    ["an encoding that it does not know", { "grpc-encoding": "none" }, message, 1],
    ["a message that is compressed, it is not said how", {}, framed(Buffer.from("message"), true), 1],
    ["a prefix that the body ends inside of, as nothing", {}, message.subarray(0, 3), 0],
    ["a message that the body ends inside of, as nothing", {}, message.subarray(0, 9), 0],
  ];
  for (const [what, headers, body, seen] of wrong) {
    test(`takes ${what}`, async (t) => assert.deepEqual(await request(t, headers, body), [String(status.OK), seen]));
  }
});
