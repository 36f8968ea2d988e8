// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { createNodeServer } from "@ts-drpc/node";
import { registerInventoryService } from "./gen/inventory/v1/inventory_drpc.js";
import { addInventoryServiceToGrpcServer } from "./gen/inventory/v1/inventory_drpc_grpc.js";
import { InventoryHandler } from "./handler.js";

const handler = new InventoryHandler();

const grpcServer = new grpc.Server();
addInventoryServiceToGrpcServer(grpcServer, handler);
const bind = promisify(grpcServer.bindAsync.bind(grpcServer));
const grpcPort = await bind(`localhost:${process.env["GRPC_PORT"] ?? 50051}`, grpc.ServerCredentials.createInsecure());

const drpcServer = createNodeServer({ routes: (router) => registerInventoryService(router, handler) });
const { port: drpcPort } = await drpcServer.listen({
  host: "localhost",
  port: Number(process.env["DRPC_PORT"] ?? 8080),
});

console.log(`gRPC on port ${grpcPort}`);
console.log(`DRPC on port ${drpcPort}`);
