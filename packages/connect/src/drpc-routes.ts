// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext as ConnectContext, ConnectRouter, MethodImpl } from "@connectrpc/connect";
import { createRouter, type Handler, type PeerInfo, type Router } from "@ts-drpc/core";
import { type RouteOptions, RouteServer } from "@ts-drpc/core/adapter";
import { type DrpcCallHost, serveMessage, serveStream } from "./drpc-call.js";

/**
 * Options of DRPC handlers on a Connect router. The `interceptors` are further
 * in than Connect's. The `gate` is asked when Connect hands a call over: it
 * has the request of a call with a single one by then, and Connect's own
 * `requestGate` comes earlier.
 */
export interface DrpcRouteOptions extends RouteOptions {
  /** Returns who calls, which Connect does not tell: its context values may. Defaults to the address `unknown`. */
  readonly peer?: ((context: ConnectContext) => PeerInfo) | undefined;

  /** Options of Connect for these methods alone, in place of those of the router: `readMaxBytes`, `interceptors`. */
  readonly connect?: Parameters<ConnectRouter["rpc"]>[2] | undefined;
}

/**
 * Adds a DRPC handler for all methods of a service to a Connect router, so
 * that it answers Connect, gRPC and gRPC-Web. Those that it leaves out answer
 * Unimplemented. Returns the Connect router.
 *
 * How large messages may be is up to Connect: set its `readMaxBytes`, whose
 * default is 4 GiB.
 *
 * @example
 * const routes = (router: ConnectRouter) => addDrpcService(router, EchoService, { say: ({ sentence }) => ({ sentence }) });
 * http2.createServer(connectNodeAdapter({ routes, readMaxBytes: 4 * 1024 * 1024 })).listen(8080);
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
  const host: DrpcCallHost = {
    routes: new RouteServer(options),
    peer: options.peer ?? (() => ({ address: "unknown" })),
  };
  for (const route of router.routes()) {
    const { desc } = route.method;
    const { methodKind } = desc;
    const serve = methodKind === "server_streaming" || methodKind === "bidi_streaming" ? serveStream : serveMessage;
    const implementation = (request: unknown, context: ConnectContext): unknown => serve(host, route, request, context);
    connectRouter.rpc(desc, implementation as MethodImpl<DescMethod>, options.connect);
  }
  return connectRouter;
}
