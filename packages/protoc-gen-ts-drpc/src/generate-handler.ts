// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import type { Printable } from "@bufbuild/protoplugin";
import { functionDoc, methodDoc } from "./documentation.js";
import { methodKey } from "./names.js";
import { printFunction } from "./print-function.js";
import type { ServiceOutput } from "./service-output.js";

/** Prints the handler interface of a service, and the function that registers a handler with a router. */
export function generateHandler(output: ServiceOutput): void {
  if (output.target !== "js") generateInterface(output);
  generateRegister(output);
}

function generateInterface(output: ServiceOutput): void {
  const { f, service, names } = output;
  f.print(f.jsDoc(service));
  f.print(f.export("interface", names.handler), " {");
  service.methods.forEach((method, index) => {
    if (index > 0) f.print();
    f.print(methodDoc(f, method));
    f.print("  ", methodKey(method), signature(output, method), ";");
  });
  f.print("}");
  f.print();
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
function signature({ names }: ServiceOutput, method: DescMethod): Printable {
  const { HandlerContext, MessageInitShape } = names.imported;
  const { AsyncIterable, Promise: promise } = names.reserved;
  const input = names.message(method.input).shape;
  const response: Printable = [MessageInitShape, "<typeof ", names.message(method.output).schema, ">"];
  const one: Printable = ["request: ", input];
  const many: Printable = ["requests: ", AsyncIterable, "<", input, ">"];
  const takesMany = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const givesMany = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  const result: Printable = givesMany
    ? [AsyncIterable, "<", response, ">"]
    : [response, " | ", promise, "<", response, ">"];
  return ["(", takesMany ? many : one, ", context: ", HandlerContext, "): ", result];
}
