// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImpl, ServiceImpl } from "@connectrpc/connect";
import type { Handler, Router } from "@ts-drpc/core";
import { memberName } from "@ts-drpc/core/adapter";
import { type ConnectServeOptions, type Implementation, serveWithConnect } from "./connect-serve.js";

/**
 * Serves the services of Connect over DRPC: adds to a router what a function
 * registers on a Connect router, such as the one that is given to
 * `connectNodeAdapter`.
 *
 * Of Connect's options, of the router and of single services, these hold:
 * `interceptors`, which are further in than those of the DRPC server,
 * `requestGate`, `shutdownSignal` and `maxTimeoutMs`. All others are about
 * HTTP. The DRPC server has limits and a gate of its own.
 *
 * Throws a TypeError if a method is registered already.
 *
 * @example
 * const server = createNodeServer({ routes: (router) => addConnectRoutes(router, routes) });
 */
export function addConnectRoutes(
  router: Router,
  routes: (connectRouter: ConnectRouter) => void,
  options: ConnectServeOptions = {},
): void {
  const collector = new RouteCollector(options);
  routes(collector);
  for (const { service, handler } of collector.services.values()) {
    router.service(service, handler);
  }
}

interface CollectedService {
  readonly service: DescService;
  readonly handler: Partial<Handler<DescService>>;
}

/** RouteCollector is a Connect router whose routes are served elsewhere. */
export class RouteCollector implements ConnectRouter {
  /** Those for HTTP, of which there are none. */
  readonly handlers: ConnectRouter["handlers"] = [];

  readonly services: Map<string, CollectedService> = new Map();
  readonly #options: ConnectServeOptions;

  constructor(options: ConnectServeOptions) {
    this.#options = options;
  }

  service<T extends DescService>(
    service: T,
    implementation: Partial<ServiceImpl<T>>,
    options?: ConnectServeOptions,
  ): this {
    this.#handlerOf(service);
    for (const method of service.methods) {
      const member: unknown = (implementation as Record<string, unknown>)[method.localName];
      if (typeof member === "function") {
        this.#add(method, member.bind(implementation), options);
      }
    }
    return this;
  }

  rpc<M extends DescMethod>(method: M, implementation: MethodImpl<M>, options?: ConnectServeOptions): this {
    this.#add(method, implementation as Implementation, options);
    return this;
  }

  #add(method: DescMethod, implementation: Implementation, options: ConnectServeOptions | undefined): void {
    const handler = this.#handlerOf(method.parent);
    const name = memberName(method);
    if (Object.hasOwn(handler, name)) {
      throw new TypeError(`method /${method.parent.typeName}/${method.name} is registered already`);
    }
    const value = serveWithConnect({ desc: method, implementation, options: { ...this.#options, ...options } });
    // Not an assignment, which for a method called __proto__ would be something else.
    Object.defineProperty(handler, name, { value, enumerable: true });
  }

  #handlerOf(service: DescService): Partial<Handler<DescService>> {
    let entry = this.services.get(service.typeName);
    if (entry === undefined) {
      entry = { service, handler: {} };
      this.services.set(service.typeName, entry);
    }
    return entry.handler;
  }
}
