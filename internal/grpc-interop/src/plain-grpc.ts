// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Both sides of the test services, written with grpc-js and its proto-loader alone, as applications without ts-drpc are.

import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { CallOptions } from "@ts-drpc/core";
import type { InteropClient, OutputRequest, OutputResponse, Payload, Status } from "./interop-client.js";

const path = fileURLToPath(new URL("../proto/grpc/testing/test.proto", import.meta.url));
const loaded = grpc.loadPackageDefinition(loadSync(path, { defaults: true })) as unknown as {
  readonly grpc: { readonly testing: Record<"TestService" | "UnimplementedService", grpc.ServiceClientConstructor> };
};
const { TestService, UnimplementedService } = loaded.grpc.testing;

interface SimpleRequest {
  readonly responseSize: number;
  readonly responseStatus: Status | null;
}

type Call = { readonly metadata: grpc.Metadata; sendMetadata(metadata: grpc.Metadata): void };

/** Adds the test service to a server. */
export function addPlainService(server: grpc.Server): void {
  server.addService(TestService.service, {
    emptyCall: (_call: unknown, callback: grpc.sendUnaryData<object>) => callback(null, {}),

    unaryCall(call: grpc.ServerUnaryCall<SimpleRequest, OutputResponse>, callback: grpc.sendUnaryData<OutputResponse>) {
      const { responseSize, responseStatus } = call.request;
      const trailer = echoMetadata(call);
      if (responseStatus !== null && responseStatus.code !== 0) {
        callback({ code: responseStatus.code, details: responseStatus.message, metadata: trailer });
      } else {
        callback(null, outputOf(responseSize), trailer);
      }
    },

    streamingOutputCall(call: grpc.ServerWritableStream<OutputRequest, OutputResponse>) {
      for (const { size } of call.request.responseParameters ?? []) {
        call.write(outputOf(size));
      }
      call.end();
    },

    streamingInputCall(
      call: grpc.ServerReadableStream<{ payload: Payload | null }, object>,
      callback: grpc.sendUnaryData<object>,
    ) {
      let aggregatedPayloadSize = 0;
      call.on("data", ({ payload }: { payload: Payload | null }) => {
        aggregatedPayloadSize += payload?.body.length ?? 0;
      });
      call.on("end", () => callback(null, { aggregatedPayloadSize }));
    },

    fullDuplexCall(call: grpc.ServerDuplexStream<OutputRequest, OutputResponse>) {
      const trailer = echoMetadata(call);
      call.on("data", ({ responseParameters, responseStatus }: OutputRequest) => {
        if (responseStatus && responseStatus.code !== 0) {
          call.emit("error", { code: responseStatus.code, details: responseStatus.message });
          return;
        }
        for (const { size } of responseParameters ?? []) {
          call.write(outputOf(size));
        }
      });
      call.on("end", () => call.end(trailer));
    },
  });
}

function echoMetadata(call: Call): grpc.Metadata {
  const [header, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
  for (const value of call.metadata.get("x-grpc-test-echo-initial")) {
    header.add("x-grpc-test-echo-initial", value);
  }
  for (const value of call.metadata.get("x-grpc-test-echo-trailing-bin")) {
    trailer.add("x-grpc-test-echo-trailing-bin", value);
  }
  call.sendMetadata(header);
  return trailer;
}

function outputOf(size: number): { payload: Payload } {
  return { payload: { body: Buffer.alloc(size) } };
}

/** Creates a client of the test service. */
export function createPlainClient(address: string): { readonly client: InteropClient; close(): void } {
  const stub = new TestService(address, grpc.credentials.createInsecure());
  return { client: plainClient(stub), close: () => stub.close() };
}

/** Creates a client of the service that no server knows. */
export function createPlainUnimplementedClient(address: string): {
  readonly client: Pick<InteropClient, "unimplementedCall">;
  close(): void;
} {
  const stub = new UnimplementedService(address, grpc.credentials.createInsecure());
  return { client: plainClient(stub), close: () => stub.close() };
}

/** A function of a client that proto-loader made. */
// biome-ignore lint/suspicious/noExplicitAny: it has no types of its own
type Stub = Record<string, (...args: any[]) => any>;

function plainClient(client: grpc.Client): InteropClient {
  const stub = client as unknown as Stub;
  const unary = (name: string) => (request: object, options?: CallOptions) =>
    new Promise<never>((resolve, reject) => {
      const call = stub[name]?.call(stub, request, ...callArguments(options), settle(resolve, reject));
      watch(call, options);
    });
  return {
    emptyCall: unary("emptyCall"),
    unaryCall: unary("unaryCall"),
    unimplementedCall: unary("unimplementedCall"),
    streamingInputCall: (requests, options) =>
      new Promise<never>((resolve, reject) => {
        const call = stub["streamingInputCall"]?.(...callArguments(options), settle(resolve, reject));
        watch(call, options);
        void write(call, requests);
      }),
    streamingOutputCall: (request, options) => {
      const call = stub["streamingOutputCall"]?.(request, ...callArguments(options));
      watch(call, options);
      return call;
    },
    fullDuplexCall: (requests, options) => {
      const call = stub["fullDuplexCall"]?.(...callArguments(options));
      watch(call, options);
      void write(call, requests);
      return call;
    },
  };
}

function callArguments({ metadata, timeoutMs }: CallOptions = {}): [grpc.Metadata, grpc.CallOptions] {
  const sent = new grpc.Metadata();
  for (const [key, value] of Object.entries((metadata ?? {}) as Record<string, string | Uint8Array>)) {
    sent.set(key, typeof value === "string" ? value : Buffer.from(value));
  }
  return [sent, timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }];
}

function settle(resolve: (response: never) => void, reject: (reason: unknown) => void) {
  return (error: grpc.ServiceError | null, response: never): void =>
    error === null ? resolve(response) : reject(error);
}

function watch(call: grpc.ClientUnaryCall, { signal, onHeader, onTrailer }: CallOptions = {}): void {
  signal?.addEventListener("abort", () => call.cancel(), { once: true });
  call.on("metadata", (header) => onHeader?.(header as never));
  call.on("status", ({ metadata }) => onTrailer?.(metadata as never));
}

async function write(call: grpc.ClientWritableStream<unknown>, requests: AsyncIterable<unknown>): Promise<void> {
  for await (const request of requests) {
    call.write(request);
  }
  call.end();
}
