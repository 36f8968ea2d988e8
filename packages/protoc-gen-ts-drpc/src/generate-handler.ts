// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import type { Printable } from "@bufbuild/protoplugin";
import { functionDoc } from "./documentation.js";
import { printFunction } from "./print-function.js";
import { type Cardinality, printInterface } from "./print-interface.js";
import type { ServiceOutput } from "./service-output.js";

/** Prints the handler interface of a service, and the function that registers a handler with a router. */
export function generateHandler(output: ServiceOutput): void {
  printInterface(output, output.names.handler, (method, cardinality) => signature(output, method, cardinality));
  generateRegister(output);
}

function generateRegister({ f, target, service, names }: ServiceOutput): void {
  const { Router } = names.imported;
  const { Partial, router, handler } = names.reserved;
  const sentence = `Register a handler for ${service.name}. Methods left out answer with code unimplemented.`;
  f.print(functionDoc(f, service, sentence));
  printFunction(f, target, {
    name: names.register,
    parameters: [
      [router, Router],
      [handler, [Partial, "<", names.handler, ">"]],
    ],
    result: "void",
    body: [router, ".service(", f.importSchema(service), ", ", handler, ");"],
  });
}

/** Returns the parameters and the result of a method as its implementer sees them. */
function signature({ names }: ServiceOutput, method: DescMethod, { takesMany, givesMany }: Cardinality): Printable {
  const { HandlerContext, MessageInitShape } = names.imported;
  const { AsyncIterable, Promise: promise } = names.reserved;
  const input = names.message(method.input).shape;
  const response: Printable = [MessageInitShape, "<typeof ", names.message(method.output).schema, ">"];
  const one: Printable = ["request: ", input];
  const many: Printable = ["requests: ", AsyncIterable, "<", input, ">"];
  const result: Printable = givesMany
    ? [AsyncIterable, "<", response, ">"]
    : [response, " | ", promise, "<", response, ">"];
  return ["(", takesMany ? many : one, ", context: ", HandlerContext, "): ", result];
}
