// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError, UnaryResponse } from "@ts-drpc/core";
import { type ClientCallInit, missingResponse, undecodableResponse } from "@ts-drpc/core/adapter";
import { asBuffer } from "./as-buffer.js";
import { type CallHost, ClientCall } from "./client-call.js";
import { fromGrpcMetadata } from "./grpc-metadata.js";
import type { GrpcStatus } from "./grpc-status.js";

/** Makes a call with one request and one response over gRPC. Rejects with a DrpcError. */
export function callUnary(host: CallHost, init: ClientCallInit, request: Uint8Array): Promise<UnaryResponse> {
  return new Promise((resolve, reject) => {
    const { path, output } = init.method;
    const call = new ClientCall(host, init, reject);
    let response: Uint8Array | undefined;

    const ended = (status: GrpcStatus): void => {
      // What the caller's own function throws here fails the call, so it comes before the answer.
      call.trailer(fromGrpcMetadata(status.metadata));
      call.ended();
      const failure = call.errorOf(status);
      if (failure !== undefined) {
        reject(failure);
      } else if (response === undefined) {
        reject(missingResponse(path));
      } else {
        const error = host.limit.receivedTooLarge(path, response);
        if (error === undefined) {
          decode(response);
        } else {
          reject(error);
        }
      }
    };

    const decode = (body: Uint8Array): void => {
      try {
        resolve({ stream: false, message: output.decode(body) });
      } catch (reason) {
        const error: DrpcError = undecodableResponse(path, reason);
        reject(error);
      }
    };

    call.begin((metadata, options) => {
      host.limit.checkSent(path, request);
      const grpcCall = host.client.makeUnaryRequest(
        path,
        asBuffer,
        (body: Buffer): Uint8Array => {
          // grpc-js asks for one message only, and would wait for ever for the end behind a second.
          queueMicrotask(() => grpcCall.call?.startRead());
          return body;
        },
        request,
        metadata,
        options,
        // How it ends is told by the status, which comes next.
        (_error, body) => {
          response = body;
        },
      );
      grpcCall.on("metadata", (header) => call.header(header));
      grpcCall.on("status", ended);
      return grpcCall;
    });
  });
}
