// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { DrpcError, type HandlerContext } from "@ts-drpc/core";
import type { TestServiceHandler } from "./gen/grpc/testing/test_drpc.js";
import type {
  EchoStatus,
  ResponseParameters,
  SimpleRequest,
  StreamingInputCallRequest,
  StreamingOutputCallRequest,
} from "./gen/grpc/testing/test_pb.js";

type Output = { payload: { body: Uint8Array } };

/** The server side of the test service. It leaves out UnimplementedCall. */
export class TestHandler implements Partial<TestServiceHandler> {
  emptyCall(): Record<never, never> {
    return {};
  }

  unaryCall({ responseSize, responseStatus }: SimpleRequest, context: HandlerContext): Output {
    echoMetadata(context);
    checkStatus(responseStatus);
    return outputOf(responseSize);
  }

  async *streamingOutputCall({ responseParameters }: StreamingOutputCallRequest): AsyncGenerator<Output> {
    yield* outputsOf(responseParameters);
  }

  async streamingInputCall(
    requests: AsyncIterable<StreamingInputCallRequest>,
  ): Promise<{ aggregatedPayloadSize: number }> {
    let aggregatedPayloadSize = 0;
    for await (const { payload } of requests) {
      aggregatedPayloadSize += payload?.body.length ?? 0;
    }
    return { aggregatedPayloadSize };
  }

  async *fullDuplexCall(
    requests: AsyncIterable<StreamingOutputCallRequest>,
    context: HandlerContext,
  ): AsyncGenerator<Output> {
    echoMetadata(context);
    for await (const { responseParameters, responseStatus } of requests) {
      checkStatus(responseStatus);
      yield* outputsOf(responseParameters);
    }
  }
}

function echoMetadata({ metadata, responseHeader, responseTrailer }: HandlerContext): void {
  const initial = metadata.get("x-grpc-test-echo-initial");
  if (initial !== undefined) {
    responseHeader.set("x-grpc-test-echo-initial", initial);
  }
  const trailing = metadata.getBinary("x-grpc-test-echo-trailing-bin");
  if (trailing !== undefined) {
    responseTrailer.set("x-grpc-test-echo-trailing-bin", trailing);
  }
}

function checkStatus(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) {
    throw new DrpcError(status.message, status.code);
  }
}

function* outputsOf(parameters: readonly ResponseParameters[]): Generator<Output> {
  for (const { size } of parameters) {
    yield outputOf(size);
  }
}

function outputOf(size: number): Output {
  return { payload: { body: new Uint8Array(size) } };
}
