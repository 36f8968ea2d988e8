// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type {
  HandlerContext as ConnectContext,
  ConnectRouter,
  ConnectRouterOptions,
  MethodImpl,
} from "@connectrpc/connect";
import { createRouter, type Handler, type PeerInfo, type Router } from "@ts-drpc/core";
import { type RouteOptions, RouteServer, wholeNumber } from "@ts-drpc/core/adapter";
import { RouteCollector } from "./connect-routes.js";
import { type DrpcCallHost, serveMessage, serveStream } from "./drpc-call.js";

const defaultMaxMessageBytes = 4 * 1024 * 1024;

/**
 * Options of DRPC handlers on a Connect router. The `interceptors` are further
 * in than Connect's. The `gate` is asked when Connect hands a call over: it
 * has the request of a call with a single one by then, and Connect's own
 * `requestGate` comes earlier.
 */
export interface DrpcRouteOptions extends RouteOptions {
  /** Returns who calls, which Connect does not tell: its context values may. Defaults to the address `unknown`. */
  readonly peer?: ((context: ConnectContext) => PeerInfo) | undefined;

  /**
   * The largest message, in bytes, in either direction, decompressed. A larger
   * one fails its call with ResourceExhausted. Connect holds to it: it becomes
   * `readMaxBytes` and `writeMaxBytes` of these methods, in place of those of
   * the router, and the error names those. Defaults to 4 MiB.
   */
  readonly maxMessageBytes?: number | undefined;

  /**
   * The largest message that a handler sends, in bytes, if that is to differ
   * from what it takes. Defaults to `maxMessageBytes`.
   */
  readonly maxSendMessageBytes?: number | undefined;

  /** Options of Connect for these methods alone, in place of those of the router, such as `interceptors`. */
  readonly connect?: ConnectRouterOptions | undefined;
}

/**
 * Adds a DRPC handler for all methods of a service to a Connect router, so
 * that it answers Connect, gRPC and gRPC-Web. Those that it leaves out answer
 * Unimplemented. Returns the Connect router.
 *
 * Throws a RangeError or a TypeError that names the option if one has a wrong value.
 *
 * @example
 * const routes = (router: ConnectRouter) => addDrpcService(router, EchoService, { say: ({ sentence }) => ({ sentence }) });
 * http2.createServer(connectNodeAdapter({ routes })).listen(8080);
 */
export function addDrpcService<Service extends DescService>(
  connectRouter: ConnectRouter,
  service: Service,
  handler: Partial<Handler<Service>>,
  options: DrpcRouteOptions = {},
): ConnectRouter {
  return addDrpcRoutes(connectRouter, createRouter().service(service, handler), options);
}

/** Adds all that a DRPC router serves to a Connect router, so that one router can serve all protocols. */
export function addDrpcRoutes(
  connectRouter: ConnectRouter,
  router: Router,
  options: DrpcRouteOptions = {},
): ConnectRouter {
  const maxMessageBytes = wholeNumber("maxMessageBytes", options.maxMessageBytes ?? defaultMaxMessageBytes);
  const maxSendMessageBytes = wholeNumber("maxSendMessageBytes", options.maxSendMessageBytes ?? maxMessageBytes);
  const limits: ConnectRouterOptions = { readMaxBytes: maxMessageBytes, writeMaxBytes: maxSendMessageBytes };
  const host: DrpcCallHost = {
    routes: new RouteServer(options),
    peer: options.peer ?? (() => ({ address: "unknown" })),
  };
  for (const route of router.routes()) {
    const { desc } = route.method;
    const { methodKind } = desc;
    const serve = methodKind === "server_streaming" || methodKind === "bidi_streaming" ? serveStream : serveMessage;
    const implementation = (request: unknown, context: ConnectContext): unknown => serve(host, route, request, context);
    addMethod(connectRouter, desc, implementation as MethodImpl<DescMethod>, { ...limits, ...options.connect });
  }
  return connectRouter;
}

function addMethod(
  router: ConnectRouter,
  method: DescMethod,
  implementation: MethodImpl<DescMethod>,
  options: ConnectRouterOptions,
): void {
  let protocols: ConnectRouterOptions = {};
  if (!(router instanceof RouteCollector)) {
    // For a method with options Connect would turn on again what the router has turned off. Only a handler without tells.
    router.rpc(method, implementation);
    const enabled = router.handlers.pop()?.protocolNames ?? [];
    protocols = {
      connect: enabled.includes("connect"),
      grpc: enabled.includes("grpc"),
      grpcWeb: enabled.includes("grpc-web"),
    };
  }
  const all: ConnectRouterOptions = { ...protocols, ...options };
  router.rpc(method, implementation, all);
}
