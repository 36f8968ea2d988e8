// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { EventEmitter, on } from "node:events";
import { Code, DrpcError, type HandlerContext } from "@ts-drpc/core";
import type { InventoryServiceHandler } from "./gen/inventory/v1/inventory_drpc.js";
import type { AddStockRequest, GetStockRequest, WatchStockRequest } from "./gen/inventory/v1/inventory_pb.js";

/** What the service does, whichever protocol brings the calls. */
export class InventoryHandler implements InventoryServiceHandler {
  readonly #counts = new Map([["apples", 3]]);
  readonly #changes = new EventEmitter();

  getStock({ item }: GetStockRequest) {
    const count = this.#counts.get(item);
    if (count === undefined) {
      throw new DrpcError(`there are no ${item}`, Code.NotFound);
    }
    return { item, count };
  }

  addStock({ item, count: added }: AddStockRequest) {
    const count = (this.#counts.get(item) ?? 0) + added;
    this.#counts.set(item, count);
    this.#changes.emit(item);
    return { item, count };
  }

  async *watchStock({ item }: WatchStockRequest, { signal }: HandlerContext) {
    const changes = on(this.#changes, item, { signal });
    yield { item, count: this.#counts.get(item) ?? 0 };
    for await (const _ of changes) {
      yield { item, count: this.#counts.get(item) ?? 0 };
    }
  }
}
