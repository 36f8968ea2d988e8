// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { Handler, HandlerContext } from "./handler.js";
import { type Method, memberName, methodOf } from "./method.js";

/** A method that a router knows, with the function that serves it. */
export interface Route {
  readonly method: Method;

  /** Is undefined if the handler left the method out. */
  readonly serve: Serve | undefined;
}

/**
 * Calls the function of a handler: with a message or an iterable of messages,
 * for a message or an iterable of messages, or a promise of either, as the
 * kind of the method says.
 */
export type Serve = (request: unknown, context: HandlerContext) => unknown;

/**
 * A Router knows which handler serves which method.
 *
 * @example
 * const router = createRouter();
 * registerEchoService(router, handler);
 */
export class Router {
  readonly #routes = new Map<string, Route>();

  /**
   * Registers a handler for all methods of a service. Those that it leaves
   * out answer Unimplemented.
   *
   * Throws a TypeError if the service has been registered before, or the
   * handler has something under a method's name that is no function.
   */
  service<Service extends DescService>(service: Service, handler: Partial<Handler<Service>>): this {
    const members = handler as Record<string, unknown>;
    for (const desc of service.methods) {
      const method = methodOf(desc);
      if (this.#routes.has(method.path)) {
        throw new TypeError(`service ${service.typeName} is registered already`);
      }
      const name = memberName(desc);
      const member = members[name];
      // A method called HasOwnProperty is not served by what every object inherits.
      const implemented = member !== undefined && member !== Object.prototype[name as keyof object];
      if (implemented && typeof member !== "function") {
        throw new TypeError(`the handler of ${service.typeName} has a ${typeof member} as ${name}, not a function`);
      }
      const serve: Serve = (request, context) => (members[name] as ServeMember).call(handler, request, context);
      this.#routes.set(method.path, { method, serve: implemented ? serve : undefined });
    }
    return this;
  }

  /** Returns the route of a path such as `/echo.v1.EchoService/Say`. */
  find(path: string): Route | undefined {
    return this.#routes.get(path);
  }
}

type ServeMember = (this: unknown, request: unknown, context: HandlerContext) => unknown;

/** Creates a router without any service. */
export function createRouter(): Router {
  return new Router();
}
