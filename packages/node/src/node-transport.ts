// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createSessionTransport, type SessionTransport, type SessionTransportOptions } from "@ts-drpc/core";
import type { DialOptions } from "./dial.js";
import { type NodeAddress, type NodeAddresses, resolveAddresses } from "./node-address.js";
import { milliseconds, object } from "./node-options.js";
import { createNodeResolver } from "./node-resolver.js";

/** Options of a transport to a server at an address, or to servers at several. */
export type NodeTransportOptions = (NodeAddress | NodeAddresses) & DialOptions & SessionTransportOptions;

/**
 * Creates a transport to a server at a TCP port or a unix socket, or to the
 * servers at several `addresses`. It connects when it is first called, and
 * again when the connection was lost. With `loadBalancing: "round-robin"`
 * calls go round all addresses, and all that the name of a host stands for;
 * without it they go to the first that can be connected to.
 *
 * With TLS each server's certificate must name the host that it was found by.
 * A connection keeps the process alive until the transport is closed.
 *
 * Throws a RangeError or TypeError that names the option if one has a wrong value.
 *
 * @example
 * await using transport = createNodeTransport({ host: "localhost", port: 8080 });
 * const echo = createEchoServiceClient(transport);
 */
export function createNodeTransport(options: NodeTransportOptions): SessionTransport {
  const addresses = resolveAddresses(object("options", options));
  const security = options.tls === undefined ? undefined : object("tls", options.tls);
  // Servers that share a port look at its first bytes before they know whether there is TLS behind them.
  const headerBeforeTls = security !== undefined && options.migrateHeader === true;
  const resolver = createNodeResolver({
    addresses,
    dialOptions: {
      connectTimeoutMs: milliseconds("connectTimeoutMs", options.connectTimeoutMs ?? 10_000),
      tls: security,
      headerBeforeTls,
    },
    eachAddress: options.loadBalancing === "round-robin",
  });
  return createSessionTransport(resolver, headerBeforeTls ? { ...options, migrateHeader: false } : options);
}
