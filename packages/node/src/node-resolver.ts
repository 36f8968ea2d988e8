// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import dns from "node:dns";
import net from "node:net";
import type { Target, TargetResolver } from "@ts-drpc/core";
import { dial, type Endpoint, type ResolvedDialOptions, showEndpoint } from "./dial.js";
import { type NodeAddress, showAddress } from "./node-address.js";
import { nodeError } from "./node-error.js";

/** How to make a resolver of addresses. */
export interface NodeResolverInit {
  readonly addresses: () => readonly NodeAddress[] | Promise<readonly NodeAddress[]>;
  readonly dialOptions: ResolvedDialOptions;

  /** True if each address that a name stands for is a target of its own. */
  readonly eachAddress: boolean;
}

/**
 * Creates what finds the targets of a transport. A name is one target, whose
 * addresses Node tries by itself, or else each of its addresses is one.
 */
export function createNodeResolver({ addresses, dialOptions, eachAddress }: NodeResolverInit): TargetResolver {
  const targetOf = (endpoint: Endpoint): Target => ({
    address: showEndpoint(endpoint),
    dial: (signal) => dial(endpoint, dialOptions, signal),
  });
  const { connectTimeoutMs } = dialOptions;
  return {
    async resolve(signal) {
      const found = await bounded("cannot get the addresses", addresses(), connectTimeoutMs, signal);
      const endpoints = eachAddress
        ? await lookupAll(found, connectTimeoutMs, signal)
        : found.map((address) => ({ address }));
      return endpoints.map(targetOf);
    },
  };
}

/** Looks up all names at once. Rejects only if there is no address at all. */
async function lookupAll(
  addresses: readonly NodeAddress[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly Endpoint[]> {
  const lookups = await Promise.allSettled(
    addresses.map((address) =>
      bounded(`cannot look up ${showAddress(address, "localhost")}`, lookup(address), timeoutMs, signal),
    ),
  );
  const endpoints = lookups.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  const failure = lookups.find((result) => result.status === "rejected");
  if (endpoints.length === 0 && failure !== undefined) {
    throw failure.reason;
  }
  return endpoints;
}

async function lookup(address: NodeAddress): Promise<readonly Endpoint[]> {
  if (address.path !== undefined) {
    return [{ address }];
  }
  const { host: hostname = "localhost", port } = address;
  if (net.isIP(hostname) !== 0) {
    return [{ address }];
  }
  const found = await new Promise<dns.LookupAddress[]>((resolve, reject) => {
    dns.lookup(hostname, { all: true }, (error, all) => (error === null ? resolve(all) : reject(error)));
  });
  return found.map((each) => ({ hostname, address: { host: each.address, port } }));
}

/** Waits for something no longer than a time, and no longer than the transport is open. */
function bounded<T>(what: string, work: T | Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    const fail = (reason: unknown): void => {
      settle();
      reject(nodeError(what, reason, true));
    };
    const abort = (): void => fail(new Error("the transport was closed"));
    const timer = setTimeout(() => fail(new Error(`no answer within connectTimeoutMs, ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener("abort", abort);
    Promise.resolve(work).then((result) => {
      settle();
      resolve(result);
    }, fail);
  });
}
