// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { credentials } from "@grpc/grpc-js";
import { DrpcError } from "@ts-drpc/core";
import { createGrpcTransport } from "@ts-drpc/grpc";
import { createNodeTransport } from "@ts-drpc/node";
import { createInventoryServiceClient } from "./gen/inventory/v1/inventory_drpc.js";

const port = Number(process.env["PORT"] ?? 8080);

// The one line that switches the protocol.
await using transport = process.env["PROTOCOL"] === "grpc" ? overGrpc() : overDrpc();

const inventory = createInventoryServiceClient(transport);

console.log(`${(await inventory.getStock({ item: "apples" })).count} apples`);

try {
  await inventory.getStock({ item: "unicorns" });
} catch (reason) {
  const { code, rawMessage } = DrpcError.from(reason);
  console.log(`${code}: ${rawMessage}`);
}

let seen = 0;
for await (const { count } of inventory.watchStock({ item: "pears" })) {
  console.log(`${count} pears`);
  seen++;
  if (seen === 2) break; // cancels the call
  await inventory.addStock({ item: "pears", count: 2 });
}

function overDrpc() {
  return createNodeTransport({ host: "localhost", port });
}

function overGrpc() {
  return createGrpcTransport({ address: `localhost:${port}`, credentials: credentials.createInsecure() });
}
