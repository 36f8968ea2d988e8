// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ChannelOptions } from "@grpc/grpc-js";
import { BenchService } from "../gen/bench/v1/bench_pb.js";

function serializer<Desc extends DescMessage>(schema: Desc): (message: MessageInitShape<Desc>) => Buffer {
  return (message) => {
    const { buffer, byteOffset, byteLength } = toBinary(schema, create(schema, message));
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}

function deserializer<Desc extends DescMessage>(schema: Desc) {
  return (bytes: Uint8Array) => fromBinary(schema, bytes);
}

function definition<I extends DescMessage, O extends DescMessage, Q extends boolean, S extends boolean>(
  method: { readonly name: string; readonly input: I; readonly output: O },
  requestStream: Q,
  responseStream: S,
) {
  return {
    path: `/${BenchService.typeName}/${method.name}`,
    requestStream,
    responseStream,
    requestSerialize: serializer(method.input),
    requestDeserialize: deserializer(method.input),
    responseSerialize: serializer(method.output),
    responseDeserialize: deserializer(method.output),
    options: {},
  };
}

const { echo, source, sink, chat } = BenchService.method;

/** BenchService for grpc-js and nice-grpc, with the messages of protobuf-es. */
export const benchDefinition = {
  echo: definition(echo, false, false),
  source: definition(source, false, true),
  sink: definition(sink, true, false),
  chat: definition(chat, true, true),
};

/** Without this all clients of a process share one connection. */
export const connectionOfItsOwn: ChannelOptions = { "grpc.use_local_subchannel_pool": 1 };
