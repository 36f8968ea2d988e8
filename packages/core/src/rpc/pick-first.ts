// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { Connection } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { resolveTargets } from "./resolve-targets.js";
import type { Target, TargetResolver } from "./target.js";
import { noneReachable } from "./unreachable.js";

/**
 * PickFirst connects to the first of several targets that can be connected to,
 * and to the same one again for as long as it works. One that failed comes
 * last from then on, so that a dead server costs its time only once.
 */
export class PickFirst {
  readonly #resolver: TargetResolver;
  readonly #addresses = new WeakMap<Connection, string>();
  #preferred: string | undefined;
  /** Those that failed, the latest last. */
  #failed: string[] = [];

  constructor(resolver: TargetResolver) {
    this.#resolver = resolver;
  }

  /** Makes a connection. Rejects with a DrpcError if no target can be connected to. */
  async dial(signal: AbortSignal): Promise<Connection> {
    const targets = this.#sort(await resolveTargets(this.#resolver, signal));
    const errors: DrpcError[] = [];
    for (const { address, dial } of targets) {
      if (signal.aborted) {
        break;
      }
      try {
        const connection = await dial(signal);
        this.#addresses.set(connection, address);
        this.#failed = this.#failed.filter((each) => each !== address);
        this.#preferred = address;
        return connection;
      } catch (reason) {
        errors.push(DrpcError.from(reason, Code.Unavailable));
        this.#demote(address);
      }
    }
    throw noneReachable(errors);
  }

  /** A connection was lost before it was of any use: another target comes first now. */
  useless(connection: Connection): void {
    const address = this.#addresses.get(connection);
    if (address !== undefined) {
      this.#demote(address);
    }
  }

  #demote(address: string): void {
    this.#failed = this.#failed.filter((each) => each !== address);
    this.#failed.push(address);
    if (this.#preferred === address) {
      this.#preferred = undefined;
    }
  }

  #sort(targets: readonly Target[]): readonly Target[] {
    const known = new Set(targets.map(({ address }) => address));
    this.#failed = this.#failed.filter((address) => known.has(address));
    const rank = ({ address }: Target): number => (address === this.#preferred ? -2 : this.#failed.indexOf(address));
    return [...targets].sort((one, other) => rank(one) - rank(other));
  }
}
