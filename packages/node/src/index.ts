// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export {
  type CloseOptions,
  type ConnectionListener,
  type ConnectionListenerOptions,
  createConnectionListener,
  type ServerCloseReport,
} from "./connection-listener.js";
export type { DialOptions } from "./dial.js";
export { createDuplexTransport, type DuplexTransportOptions } from "./duplex-transport.js";
export type { NodeAddress, NodeAddresses } from "./node-address.js";
export { createNodeConnection, type StreamPair } from "./node-connection.js";
export {
  createNodeServer,
  type ListenSecurity,
  type NodeServer,
  type NodeServerOptions,
  type TcpListenOptions,
  type UnixListenOptions,
} from "./node-server.js";
export { createNodeTransport, type NodeTransportOptions } from "./node-transport.js";
export { type PeerTls, peerTls } from "./peer-tls.js";
export { type ConnectionTaker, type SharePortOptions, sharePort } from "./share-port.js";
