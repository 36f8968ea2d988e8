// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { describe } from "node:test";
import { answersContract } from "./answers-contract.js";
import { backpressureContract } from "./backpressure-contract.js";
import { cancellationContract } from "./cancellation-contract.js";
import { reconnectContract, serverCloseContract, transportCloseContract } from "./closing-contract.js";
import type { Carries, ContractPair } from "./contract-pair.js";
import { useSharedPair } from "./pair-in-use.js";

/** What a kind of transport has besides calls, so that the promises about it can be tested. */
export interface ContractReach {
  /** The pairs have a server to close. */
  readonly server: boolean;

  /** The server can be opened again at the same address. */
  readonly reopen: boolean;

  /** Defaults to anything. */
  readonly carries?: Carries | undefined;
}

/**
 * Tests that a transport keeps the promises that all of them make. The pair
 * comes with the server that is called; it is made with `contractServer`.
 */
export function transportContract(name: string, reach: ContractReach, createPair: () => Promise<ContractPair>): void {
  describe(`the promises of a transport, over ${name}`, () => {
    describe("one connection for all calls", () => {
      const shared = useSharedPair(createPair);
      answersContract(shared, reach.carries ?? "anything");
      cancellationContract(shared);
      backpressureContract(shared);
    });

    describe("the end", () => {
      transportCloseContract(createPair);
      if (reach.server) {
        serverCloseContract(createPair);
      }
      if (reach.reopen) {
        reconnectContract(createPair);
      }
    });
  });
}
