// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@ts-drpc/core";

/**
 * What a protocol can carry: anything, or what Go's DRPC can, which has one value for a key, so that several are joined,
 * or what gRPC can, whose metadata is also ASCII under keys in lower case, and whose codes are those that have names.
 */
export type Carries = "anything" | "what Go's DRPC can" | "what gRPC can";

/** What closing a server did. */
export interface CloseReport {
  readonly connections: number;
  readonly drained: number;
  readonly aborted: number;
}

/** What the contract does to the server of a pair, which may be in another process. */
export interface ServerControl {
  connectionCount(): Promise<number>;
  close(options: { readonly drainMs: number }): Promise<CloseReport>;

  /** Starts a server again at the same address. Missing where there is no such thing. */
  readonly reopen?: (() => Promise<void>) | undefined;
}

/** A server that was made with `contractServer`, and a transport to it. */
export interface ContractPair {
  readonly transport: Transport;

  /** How errors name the server. */
  readonly address: string;

  /** Missing where the server is out of reach. */
  readonly server?: ServerControl | undefined;

  /** Gives back what the pair holds. The transport is closed before. */
  dispose(): Promise<void>;
}
