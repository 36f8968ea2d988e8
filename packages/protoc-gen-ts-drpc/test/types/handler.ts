// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What the generated handler interface lets an implementer write. It is compiled, never run.

import type { Handler, HandlerContext, Router } from "@ts-drpc/core";
import { type MethodsHandler, registerMethods } from "../golden/methods_drpc.js";
import { type LineServiceHandler, registerLineService } from "../golden/service_drpc.js";
import type { LineService, SayRequest } from "../golden/service_pb.js";

/** An object literal needs no annotations: they all come from the interface. */
export const literal: LineServiceHandler = {
  say: (request) => ({ line: request.line }),
  async *repeat({ line, times }, context) {
    for (let i = 0; i < times && !context.signal.aborted; i++) yield { line };
  },
  async join(requests) {
    const lines: string[] = [];
    for await (const request of requests) lines.push(request.line);
    return { line: lines.join(" ") };
  },
  async *chat(requests) {
    for await (const { line } of requests) yield { line, words: line.split(" ") };
  },
  shout: async () => ({}),
  uncommented: () => ({ counts: { one: 1 } }),
};

/** A class can implement the interface, or a part of it. */
export class SayHandler implements Pick<LineServiceHandler, "say"> {
  #count = 0;

  say(request: SayRequest, context: HandlerContext): { line: string } {
    this.#count++;
    return context.signal.aborted ? { line: "" } : { line: `${this.#count} ${request.line}` };
  }
}

export function registers(router: Router, methods: Partial<MethodsHandler>): void {
  registerLineService(router, literal);
  registerLineService(router, new SayHandler());
  registerLineService(router, {});
  registerMethods(router, methods);
  // Every object inherits the last three under another type, so they cannot be left out.
  registerMethods(router, {
    then$: () => ({}),
    new: () => ({}),
    constructor$: () => ({}),
    toLocaleString: () => ({}),
    hasOwnProperty: () => ({}),
    isPrototypeOf: () => ({}),
  });

  // @ts-expect-error a method that the service does not have
  registerLineService(router, { whisper: () => ({}) });
  // @ts-expect-error a field of another type in the response
  registerLineService(router, { say: () => ({ line: 1 }) });
  // @ts-expect-error a unary method gives one response, not many
  registerLineService(router, { async *say() {} });
  // @ts-expect-error a streaming method gives many responses, not one
  registerLineService(router, { repeat: () => ({ line: "" }) });
  // @ts-expect-error the name of a method is the generated one
  registerMethods(router, { then: () => ({}) });
}

/** The generated interface and the runtime's mapped type are the same in both directions. */
export function same(generated: LineServiceHandler, mapped: Handler<typeof LineService>): void {
  generated satisfies Handler<typeof LineService>;
  mapped satisfies LineServiceHandler;
}
