// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { object, port, show } from "./node-options.js";

/** Where a server is: on a TCP port, or at a unix socket. */
export type NodeAddress =
  | {
      readonly port: number;
      /** Defaults to `localhost`. */
      readonly host?: string | undefined;
      readonly path?: undefined;
    }
  | { readonly path: string; readonly port?: undefined };

/** Where the servers of a service are. */
export interface NodeAddresses {
  /**
   * Several addresses, in the order of preference, or a function that returns
   * them, or a promise of them. It is called whenever the transport has to
   * connect, so that servers may move; what it throws counts as a failed
   * attempt. Of more than 100 the first 100 are used.
   */
  readonly addresses: readonly NodeAddress[] | (() => readonly NodeAddress[] | Promise<readonly NodeAddress[]>);
  readonly host?: undefined;
  readonly port?: undefined;
  readonly path?: undefined;
}

/**
 * Returns what gives the addresses that are in some options. Throws a
 * TypeError or RangeError that names the option if there are none, or wrong ones.
 */
export function resolveAddresses(
  options: NodeAddress | NodeAddresses,
): () => readonly NodeAddress[] | Promise<readonly NodeAddress[]> {
  if (!("addresses" in options) || options.addresses === undefined) {
    const address = resolveAddress(options, 1);
    return () => [address];
  }
  const { addresses } = options;
  for (const name of ["port", "host", "path"] as const) {
    if (options[name] !== undefined) {
      throw new TypeError(`addresses and ${name} exclude each other: got ${name} ${show(options[name])}`);
    }
  }
  if (typeof addresses === "function") {
    return async () => checkAddresses(await addresses());
  }
  const checked = checkAddresses(addresses);
  return () => checked;
}

function checkAddresses(addresses: readonly NodeAddress[]): readonly NodeAddress[] {
  if (!Array.isArray(addresses) || addresses.length === 0) {
    throw new TypeError(`addresses must be a list of at least one address, got ${show(addresses)}`);
  }
  return addresses.map((address) => resolveAddress(object("each of addresses", address), 1));
}

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
