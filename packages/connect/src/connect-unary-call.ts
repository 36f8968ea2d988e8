// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type { UnaryResponse } from "@ts-drpc/core";
import type { ClientCallInit } from "@ts-drpc/core/adapter";
import { type CallHost, ConnectCall } from "./connect-call.js";

/** Makes a call with one request and one response through a Connect transport. Rejects with a DrpcError. */
export function callUnary(
  host: CallHost,
  init: ClientCallInit,
  request: MessageInitShape<DescMessage>,
): Promise<UnaryResponse> {
  return new Promise((resolve, reject) => {
    const method = init.method.desc as DescMethodUnary;
    const call = new ConnectCall(host, init, reject);
    call.begin(({ signal, timeoutMs, header, contextValues }) => {
      host.transport.unary(method, signal, timeoutMs, header, request, contextValues).then(
        (response) => {
          // What the caller's own functions throw here fails the call, so they come before the answer.
          call.header(response.header);
          call.trailer(response.trailer);
          call.ended();
          resolve({ stream: false, message: response.message });
        },
        (reason) => {
          const error = call.failure(reason);
          call.ended();
          reject(error);
        },
      );
    });
  });
}
