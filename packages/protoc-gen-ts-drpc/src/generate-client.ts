// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import type { Printable } from "@bufbuild/protoplugin";
import { functionDoc } from "./documentation.js";
import { printFunction } from "./print-function.js";
import { type Cardinality, printInterface } from "./print-interface.js";
import type { ServiceOutput } from "./service-output.js";

/** Prints the client interface of a service, and the function that makes a client. */
export function generateClient(output: ServiceOutput): void {
  printInterface(output, output.names.client, (method, cardinality) => signature(output, method, cardinality));
  generateFactory(output);
}

function generateFactory({ f, target, service, names }: ServiceOutput): void {
  const { Transport, createClient } = names.imported;
  const { transport } = names.reserved;
  f.print(functionDoc(f, service, `Create a client that calls ${service.name} through the given transport.`));
  printFunction(f, target, {
    name: names.create,
    parameters: [[transport, Transport]],
    result: names.client,
    body: ["return ", createClient, "(", f.importSchema(service), ", ", transport, ");"],
  });
}

/** Returns the parameters and the result of a method as its caller sees them. */
function signature({ names }: ServiceOutput, method: DescMethod, { takesMany, givesMany }: Cardinality): Printable {
  const { CallOptions, MessageInitShape } = names.imported;
  const { AsyncIterable, Promise: promise } = names.reserved;
  const input: Printable = [MessageInitShape, "<typeof ", names.message(method.input).schema, ">"];
  const one: Printable = ["request: ", input];
  const many: Printable = ["requests: ", AsyncIterable, "<", input, ">"];
  const result: Printable = [givesMany ? AsyncIterable : promise, "<", names.message(method.output).shape, ">"];
  return ["(", takesMany ? many : one, ", options?: ", CallOptions, "): ", result];
}
