// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before } from "node:test";
import type { CallOptions } from "@ts-drpc/core";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import type { ContractPair, ServerControl } from "./contract-pair.js";

let lastKey = 0;

/** Returns a key under which a call is found in the server's journal. */
export function newKey(): string {
  lastKey++;
  return `call ${lastKey}`;
}

/** A pair in use by tests, and the calls that they make with it. */
export class PairInUse {
  readonly pair: ContractPair;
  readonly echo: EchoServiceClient;

  constructor(pair: ContractPair) {
    this.pair = pair;
    this.echo = createEchoServiceClient(pair.transport);
  }

  /** The server, in tests that only run where it is in reach. */
  get server(): ServerControl {
    assert.ok(this.pair.server !== undefined);
    return this.pair.server;
  }

  /** Makes the handler write a note. */
  async note(key: string): Promise<void> {
    await this.#do("note", key);
  }

  /** Resolves with the note under a key, once the handler has written it. */
  read(key: string): Promise<string> {
    return this.#do("read", key);
  }

  /** Returns how often the handler has counted under a key. */
  async count(key: string): Promise<number> {
    return Number(await this.#do("count", key));
  }

  /** Returns the options of a call that does something else than to echo. */
  doing(what: string, key: string): CallOptions & { metadata: Record<string, string> } {
    return { metadata: { do: what, key } };
  }

  async dispose(): Promise<void> {
    await this.pair.transport.close();
    await this.pair.dispose();
  }

  async #do(what: string, sentence: string): Promise<string> {
    return (await this.echo.say({ sentence }, this.doing(what, ""))).sentence;
  }
}

/** Uses one pair for all tests of a suite, and shows in the end that their calls left nothing behind. */
export function useSharedPair(createPair: () => Promise<ContractPair>): { readonly current: PairInUse } {
  let current: PairInUse | undefined;
  before(async () => {
    current = new PairInUse(await createPair());
    // The first call of a connection finds out whether the peer multiplexes.
    await current.echo.say({});
  });
  after(async () => {
    const report = await current?.pair.server?.close({ drainMs: 0 });
    await current?.dispose();
    if (report !== undefined) {
      assert.deepEqual(report, { connections: 1, drained: 0, aborted: 0 });
    }
  });
  return {
    get current() {
      assert.ok(current !== undefined);
      return current;
    },
  };
}

/** Collects all that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

/** Gives out what it is given, in later turns. */
export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
