// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type Client, createChannel, createClient } from "nice-grpc-web";
import { benchDefinition } from "../contenders/grpc-definition.js";

export const createBench = (address: string): Client<typeof benchDefinition> =>
  createClient(benchDefinition, createChannel(address));
