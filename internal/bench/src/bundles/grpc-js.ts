// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Client, credentials } from "@grpc/grpc-js";
import { benchDefinition } from "../contenders/grpc-definition.js";
import type { Payload } from "../gen/bench/v1/bench_pb.js";

/** grpc-js has no typed client without a generator of its own: this is the least that makes a call. */
export class Bench extends Client {
  constructor(address: string) {
    super(address, credentials.createInsecure());
  }

  echo(request: { body: Uint8Array }, callback: (error: Error | null, response?: Payload) => void): void {
    const { path, requestSerialize, responseDeserialize } = benchDefinition.echo;
    this.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, callback);
  }
}
