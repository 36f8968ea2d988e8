// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { Server, ServiceDefinition } from "@grpc/grpc-js";
import { createRouter, DrpcError, type Handler, type PeerInfo, type Router } from "@ts-drpc/core";
import { Deadline, HandlerCall, type Route, type RouteOptions, RouteServer } from "@ts-drpc/core/adapter";
import { asBuffer } from "./as-buffer.js";
import { fromGrpcMetadata } from "./grpc-metadata.js";
import { MessageLimit, type MessageLimitOptions } from "./message-limit.js";
import { type GrpcServerCall, ServerStream } from "./server-stream.js";

/**
 * Options of handlers on a gRPC server.
 *
 * A `maxMessageBytes` above 4 MiB needs a server that is made with
 * `grpc.max_receive_message_length` and `grpc.max_send_message_length`, too.
 */
export interface GrpcServeOptions extends RouteOptions, MessageLimitOptions {}

/**
 * Adds a handler for all methods of a service to a server of grpc-js. Those
 * that it leaves out answer Unimplemented. Throws what grpc-js throws if the
 * server has a handler for one of them.
 *
 * @example
 * const server = new grpc.Server();
 * addGrpcService(server, EchoService, { say: ({ sentence }) => ({ sentence }) });
 */
export function addGrpcService<Service extends DescService>(
  server: Server,
  service: Service,
  handler: Partial<Handler<Service>>,
  options: GrpcServeOptions = {},
): void {
  addGrpcRoutes(server, createRouter().service(service, handler), options);
}

/** Adds all that a router serves to a server of grpc-js, so that one router can serve both protocols. */
export function addGrpcRoutes(server: Server, router: Router, options: GrpcServeOptions = {}): void {
  const routes = new RouteServer(options);
  const limit = new MessageLimit(options);
  for (const route of router.routes()) {
    const { name } = route.method.desc;
    server.addService(
      { [name]: definitionOf(route.method.path) },
      { [name]: (call: GrpcServerCall) => serve(routes, route, call, limit) },
    );
  }
}

/**
 * Returns a method as grpc-js takes it. On the wire of gRPC all kinds are the
 * same, and a call that streams its requests is handed over before one has
 * come, so that the gate is asked in time.
 */
function definitionOf(path: string): ServiceDefinition[string] {
  const asIs = (body: Buffer): Uint8Array => body;
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  };
}

function serve(routes: RouteServer, route: Route, call: GrpcServerCall, limit: MessageLimit): void {
  const { path } = route.method;
  const stream = new ServerStream(path, call, limit);
  const deadline = deadlineOf(call);
  const accepted = routes.accept(route, { peer: peerOf(call), metadata: fromGrpcMetadata(call.metadata), deadline });
  if (accepted instanceof DrpcError) {
    stream.fail(accepted);
    return;
  }
  const handlerCall = new HandlerCall(stream, accepted, () => undefined);
  stream.start(handlerCall.receiver, () => deadline !== undefined && deadline.remainingMs <= 0);
  handlerCall.begin();
}

function deadlineOf(call: GrpcServerCall): Deadline | undefined {
  const at = Number(call.getDeadline());
  return Number.isFinite(at) ? new Deadline(at - Date.now()) : undefined;
}

function peerOf(call: GrpcServerCall): PeerInfo {
  const { sslPeerCertificate } = call.getAuthContext();
  return { address: call.getPeer(), ...(sslPeerCertificate === undefined ? {} : { authInfo: sslPeerCertificate }) };
}
