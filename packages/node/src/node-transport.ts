// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createSessionTransport, type SessionTransportOptions, type Transport } from "@ts-drpc/core";
import { type DialOptions, dial } from "./dial.js";
import { type NodeAddress, resolveAddress } from "./node-address.js";
import { milliseconds, object } from "./node-options.js";

/** Options of a transport to a server at an address. */
export type NodeTransportOptions = NodeAddress & DialOptions & SessionTransportOptions;

/**
 * Creates a transport to a server at a TCP port or a unix socket. It connects
 * when it is first called, and again when the connection was lost.
 *
 * Throws a RangeError or TypeError that names the option if one has a wrong value.
 *
 * @example
 * await using transport = createNodeTransport({ host: "localhost", port: 8080 });
 * const echo = createEchoServiceClient(transport);
 */
export function createNodeTransport(options: NodeTransportOptions): Transport {
  const address = resolveAddress(object("options", options), 1);
  const connectTimeoutMs = milliseconds("connectTimeoutMs", options.connectTimeoutMs ?? 10_000);
  const security = options.tls === undefined ? undefined : object("tls", options.tls);
  // Servers that share a port look at its first bytes before they know whether there is TLS behind them.
  const headerBeforeTls = security !== undefined && options.migrateHeader === true;
  return createSessionTransport(
    () => dial(address, security, connectTimeoutMs, headerBeforeTls),
    headerBeforeTls ? { ...options, migrateHeader: false } : options,
  );
}
