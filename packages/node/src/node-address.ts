// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { port, show } from "./node-options.js";

/** Where a server is: on a TCP port, or at a unix socket. */
export type NodeAddress =
  | {
      readonly port: number;
      /** Defaults to `localhost`. */
      readonly host?: string | undefined;
      readonly path?: undefined;
    }
  | { readonly path: string; readonly port?: undefined };

/**
 * Returns the address that is in some options. Throws a TypeError or
 * RangeError that names the option if there is none, or two, or a wrong one.
 */
export function resolveAddress(
  options: { readonly port?: unknown; readonly host?: unknown; readonly path?: unknown },
  lowestPort: 0 | 1,
): NodeAddress {
  const { host, path } = options;
  if (path !== undefined) {
    if (options.port !== undefined) {
      throw new TypeError(
        `port and path exclude each other, a server is at a TCP port or at a unix socket: got port ${show(options.port)} and path ${show(path)}`,
      );
    }
    if (typeof path !== "string" || path === "") {
      throw new TypeError(`path must be the path of a unix socket, got ${show(path)}`);
    }
    return { path };
  }
  if (host !== undefined && (typeof host !== "string" || host === "")) {
    throw new TypeError(`host must be a name or an address, got ${show(host)}`);
  }
  return { host, port: port(options.port, lowestPort) };
}

/** Shows an address as people write it. */
export function showAddress(address: NodeAddress, defaultHost: string): string {
  if (address.path !== undefined) {
    return address.path;
  }
  const { host = defaultHost, port: number } = address;
  return host.includes(":") ? `[${host}]:${number}` : `${host}:${number}`;
}
