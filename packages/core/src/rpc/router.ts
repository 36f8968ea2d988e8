// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { object, show } from "../vocabulary/option-values.js";
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
   * handler is no object, or has something under a method's name that is no function.
   */
  service<Service extends DescService>(service: Service, handler: Partial<Handler<Service>>): this {
    if (!Array.isArray(service?.methods)) {
      throw new TypeError(`service must be a service that was generated, got ${show(service)}`);
    }
    object(`the handler of ${service.typeName}`, handler);
    const routes = service.methods.map((desc) => createRoute(desc, handler));
    for (const { method } of routes) {
      if (this.#routes.has(method.path)) {
        throw new TypeError(`service ${service.typeName} is registered already`);
      }
    }
    for (const route of routes) {
      this.#routes.set(route.method.path, route);
    }
    return this;
  }

  /** Returns all routes, in the order in which they were registered. */
  routes(): IterableIterator<Route> {
    return this.#routes.values();
  }

  /** Returns the route of a path such as `/echo.v1.EchoService/Say`. */
  find(path: string): Route | undefined {
    return this.#routes.get(path);
  }
}

type ServeMember = (this: unknown, request: unknown, context: HandlerContext) => unknown;

function createRoute(desc: DescMethod, handler: object): Route {
  const method = methodOf(desc);
  const name = memberName(desc);
  const member = memberOf(handler, name);
  if (member === undefined) {
    return { method, serve: undefined };
  }
  if (typeof member !== "function") {
    throw new TypeError(`the handler of ${desc.parent.typeName} has a ${typeof member} as ${name}, not a function`);
  }
  const members = handler as Record<string, ServeMember>;
  return { method, serve: (request, context) => (members[name] as ServeMember).call(handler, request, context) };
}

/** Finds what a handler has under a name. What every object inherits, `hasOwnProperty` say, does not serve a method. */
function memberOf(handler: object, name: string): unknown {
  for (let holder = handler; holder !== null && holder !== Object.prototype; holder = Object.getPrototypeOf(holder)) {
    if (Object.hasOwn(holder, name)) {
      return (handler as Record<string, unknown>)[name];
    }
  }
  return undefined;
}

/** Creates a router without any service. */
export function createRouter(): Router {
  return new Router();
}
