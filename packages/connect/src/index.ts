// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { addConnectRoutes } from "./connect-routes.js";
export type { ConnectServeOptions } from "./connect-serve.js";
export { addDrpcRoutes, addDrpcService, type DrpcRouteOptions } from "./drpc-routes.js";
export { type FromConnectTransportOptions, fromConnectTransport } from "./from-connect-transport.js";
export { type ToConnectTransportOptions, toConnectTransport } from "./to-connect-transport.js";
