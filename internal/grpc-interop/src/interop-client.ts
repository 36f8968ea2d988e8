// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { CallOptions } from "@ts-drpc/core";

export interface Payload {
  readonly body: Uint8Array;
}

export interface Status {
  readonly code: number;
  readonly message: string;
}

export interface OutputRequest {
  readonly responseParameters?: { readonly size: number }[];
  readonly payload?: Payload;
  readonly responseStatus?: Status;
}

export interface OutputResponse {
  readonly payload?: Payload | null | undefined;
}

type Nothing = Record<never, never>;

/** The client side of the test services: ours, and one that is written with grpc-js alone. */
export interface InteropClient {
  emptyCall(request: Nothing, options?: CallOptions): Promise<object>;
  unaryCall(
    request: { readonly responseSize?: number; readonly payload?: Payload; readonly responseStatus?: Status },
    options?: CallOptions,
  ): Promise<OutputResponse>;
  streamingOutputCall(request: OutputRequest, options?: CallOptions): AsyncIterable<OutputResponse>;
  streamingInputCall(
    requests: AsyncIterable<{ readonly payload: Payload }>,
    options?: CallOptions,
  ): Promise<{ readonly aggregatedPayloadSize: number }>;
  fullDuplexCall(requests: AsyncIterable<OutputRequest>, options?: CallOptions): AsyncIterable<OutputResponse>;
  unimplementedCall(request: Nothing, options?: CallOptions): Promise<object>;
}

/** A server, and clients that call it. */
export interface InteropPair {
  readonly test: InteropClient;
  readonly unimplemented: Pick<InteropClient, "unimplementedCall">;
  close(): Promise<void>;
}
