// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { type ConnectionPair, type ConnectionPairOptions, createConnectionPair } from "./connection-pair.js";
export { type ConnectionFaults, createFaultyConnection } from "./faulty-connection.js";
export type { FlowFaults } from "./faulty-flow.js";
export { createRouterTransport, type RouterTransportOptions } from "./router-transport.js";
