// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const definition = loadSync(fileURLToPath(new URL("../../proto/inventory/v1/inventory.proto", import.meta.url)));
// biome-ignore lint/suspicious/noExplicitAny: proto-loader knows the service at run time only
const { inventory } = grpc.loadPackageDefinition(definition) as any;
const address = `localhost:${process.env["PORT"] ?? 50051}`;
const client = new inventory.v1.InventoryService(address, grpc.credentials.createInsecure());

// biome-ignore lint/suspicious/noExplicitAny: as above
client.getStock({ item: "apples" }, (error: any, stock: any) => {
  if (error) throw error;
  console.log(`${stock.count} apples`);

  // biome-ignore lint/suspicious/noExplicitAny: as above
  client.getStock({ item: "unicorns" }, (refused: any) => {
    console.log(`${refused.code}: ${refused.details}`);

    const watched = client.watchStock({ item: "pears" });
    let seen = 0;
    // biome-ignore lint/suspicious/noExplicitAny: as above
    watched.on("data", (each: any) => {
      console.log(`${each.count ?? 0} pears`);
      seen++;
      if (seen === 1) {
        client.addStock({ item: "pears", count: 2 }, () => undefined);
      } else {
        watched.cancel();
      }
    });
    watched.on("error", () => client.close());
  });
});
