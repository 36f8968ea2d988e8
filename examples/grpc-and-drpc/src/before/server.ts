// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const definition = loadSync(fileURLToPath(new URL("../../proto/inventory/v1/inventory.proto", import.meta.url)));
// biome-ignore lint/suspicious/noExplicitAny: proto-loader knows the service at run time only
const { inventory } = grpc.loadPackageDefinition(definition) as any;

const counts = new Map([["apples", 3]]);
const changes = new EventEmitter();

const server = new grpc.Server();
server.addService(inventory.v1.InventoryService.service, {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  getStock(call: any, callback: any) {
    const { item } = call.request;
    const count = counts.get(item);
    if (count === undefined) {
      callback({ code: grpc.status.NOT_FOUND, details: `there are no ${item}` });
    } else {
      callback(null, { item, count });
    }
  },

  // biome-ignore lint/suspicious/noExplicitAny: as above
  addStock(call: any, callback: any) {
    const { item, count: added } = call.request;
    const count = (counts.get(item) ?? 0) + added;
    counts.set(item, count);
    changes.emit(item);
    callback(null, { item, count });
  },

  // biome-ignore lint/suspicious/noExplicitAny: as above
  watchStock(call: any) {
    const { item } = call.request;
    const send = () => call.write({ item, count: counts.get(item) ?? 0 });
    changes.on(item, send);
    call.on("cancelled", () => changes.off(item, send));
    send();
  },
});

const port = process.env["GRPC_PORT"] ?? 50051;
server.bindAsync(`localhost:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
  if (error !== null) throw error;
  console.log(`gRPC on port ${bound}`);
});
