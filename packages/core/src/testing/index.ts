// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { type ConnectionPair, type ConnectionPairOptions, createConnectionPair } from "./connection-pair.js";
export { createRouterTransport, type RouterTransportOptions } from "./router-transport.js";
