// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The client under test: makes the calls that the runner asks for on its standard input, over the protocol that its
// argument names, `drpc` or `grpc`, and tells on its standard output what came of them.

import { credentials } from "@grpc/grpc-js";
import type { Transport } from "@ts-drpc/core";
import { createGrpcTransport } from "@ts-drpc/grpc";
import { createNodeTransport } from "@ts-drpc/node";
import { makeCall } from "./conformance-call.js";
import { readMessages, writeMessage } from "./delimited-messages.js";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.js";
import { Compression } from "./gen/connectrpc/conformance/v1/config_pb.js";
import { createConformanceServiceClient } from "./gen/connectrpc/conformance/v1/service_drpc.js";

const concurrentCalls = 16;

// What `grpc.default_compression_algorithm` stands for in grpc-js.
const grpcCompressions: ReadonlyMap<Compression, number> = new Map([
  [Compression.IDENTITY, 0],
  [Compression.DEFLATE, 1],
  [Compression.GZIP, 2],
]);

const createTransport: (request: ClientCompatRequest) => Transport = {
  drpc: createDrpcTransport,
  grpc: createTransportOfGrpc,
}[process.argv[2] as "drpc" | "grpc"];
const transports = new Map<string, Transport>();
const requests = readMessages(process.stdin, ClientCompatRequestSchema);
await Promise.all(Array.from({ length: concurrentCalls }, serveRunner));
await Promise.all([...transports.values()].map((transport) => transport.close()));

async function serveRunner(): Promise<void> {
  for await (const request of requests) {
    const { testName } = request;
    try {
      const value = await makeCall(createConformanceServiceClient(transportFor(request)), request);
      writeMessage(process.stdout, ClientCompatResponseSchema, { testName, result: { case: "response", value } });
    } catch (reason) {
      const value = { message: String(reason) };
      writeMessage(process.stdout, ClientCompatResponseSchema, { testName, result: { case: "error", value } });
    }
  }
}

/** Returns the transport that all calls share which are to be made in the same way to the same server. */
function transportFor(request: ClientCompatRequest): Transport {
  const { host, port, compression, serverTlsCert, clientTlsCreds, messageReceiveLimit } = request;
  const how = [
    host,
    port,
    compression,
    Buffer.from(serverTlsCert).toString(),
    clientTlsCreds?.cert,
    messageReceiveLimit,
  ];
  const key = how.join();
  const transport = transports.get(key) ?? createTransport(request);
  transports.set(key, transport);
  return transport;
}

function createDrpcTransport(request: ClientCompatRequest): Transport {
  const { host, port, messageReceiveLimit } = request;
  return createNodeTransport({
    host,
    port,
    ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit }),
    ...(request.serverTlsCert.length === 0 ? {} : { tls: securityOf(request) }),
  });
}

function createTransportOfGrpc(request: ClientCompatRequest): Transport {
  const { host, port, messageReceiveLimit, compression } = request;
  const { ca, cert, key } = securityOf(request);
  return createGrpcTransport({
    address: `${host}:${port}`,
    credentials: ca.length === 0 ? credentials.createInsecure() : credentials.createSsl(ca, key, cert),
    ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit }),
    channelOptions: { "grpc.default_compression_algorithm": grpcCompressions.get(compression) ?? 0 },
  });
}

function securityOf({ serverTlsCert, clientTlsCreds }: ClientCompatRequest): {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
} {
  return {
    ca: Buffer.from(serverTlsCert),
    ...(clientTlsCreds === undefined
      ? {}
      : { cert: Buffer.from(clientTlsCreds.cert), key: Buffer.from(clientTlsCreds.key) }),
  };
}
