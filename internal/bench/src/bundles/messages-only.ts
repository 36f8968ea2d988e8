// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Payload, PayloadSchema } from "../gen/bench/v1/bench_pb.js";

/** The messages alone, which all clients of protobuf services have in common. */
export const encode = (message: Payload): Uint8Array => toBinary(PayloadSchema, message);
export const decode = (bytes: Uint8Array): Payload => fromBinary(PayloadSchema, bytes);
