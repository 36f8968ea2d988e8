// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from "node:http2";
import { type AddressInfo, connect as connectSocket, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { drainRequest } from "../src/drain-request.js";
import { ConformanceService } from "../src/gen/connectrpc/conformance/v1/service_pb.js";

const type = "application/grpc-web+proto";
const path = "/connectrpc.conformance.v1.ConformanceService/Unary";

/** A service of Connect alone, which takes messages of 100 bytes. */
const answer: RequestListener = connectNodeAdapter({
  routes: (router) => router.service(ConformanceService, { unary: () => ({}) }),
  readMaxBytes: 100,
});

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "localhost");
  await once(server, "listening");
  t.after(async () => {
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

/** Returns a message as gRPC-Web frames it. */
function framed(size: number): Buffer {
  const body = Buffer.alloc(5 + size);
  body.writeUInt32BE(size, 1);
  return body;
}

function post(body: Buffer): Buffer {
  const head = [`POST ${path} HTTP/1.1`, "Host: localhost", `Content-Type: ${type}`, `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

/** Sends a request that is too large, and once that was answered one that is not. Returns the statuses of the answers, which are 200 in gRPC-Web. */
async function statusesOfTwo(t: TestContext, listener: RequestListener): Promise<string[]> {
  const server = createServer({ keepAliveTimeout: 100 }, listener);
  const socket = connectSocket(await listen(t, server), "localhost");
  socket.write(post(framed(300_000)));
  let text = "";
  const found = (): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code ?? "");
  await new Promise<void>((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.on("data", (data) => {
      const before = found().length;
      text += data;
      if (before === 0 && found().length === 1) {
        socket.write(post(framed(0)));
      } else if (found().length === 2) {
        socket.destroy();
      }
    });
  });
  return found();
}

test("connect-node leaves a request above its limit unread, and with it all later ones on the connection", async (t) => {
  assert.deepEqual(await statusesOfTwo(t, answer), ["200"]);
});

test("a request that is drained lets later ones be answered over HTTP/1.1", async (t) => {
  const draining: RequestListener = (request, response) => {
    drainRequest(request);
    answer(request, response);
  };
  assert.deepEqual(await statusesOfTwo(t, draining), ["200", "200"]);
});

test("a request that is drained is read to its end over HTTP/2", async (t) => {
  const server = createHttp2Server((request: Http2ServerRequest, response) => {
    drainRequest(request);
    answer(request as never, response as never);
  });
  const session = connect(`http://localhost:${await listen(t, server)}`);
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": type });
  // More than the window of a stream, so that it has an end only if it is read.
  stream.resume().end(framed(300_000));
  await once(stream, "close");
  session.close();
});
