// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import type { Printable } from "@bufbuild/protoplugin";
import { methodDoc } from "./documentation.js";
import { methodKey } from "./names.js";
import type { ServiceOutput } from "./service-output.js";

/** How many messages a method takes and gives: one each, or a stream. */
export interface Cardinality {
  readonly takesMany: boolean;
  readonly givesMany: boolean;
}

/** Prints an interface with the methods of a service, and the comments of the proto file. JavaScript has none. */
export function printInterface(
  { f, target, service }: ServiceOutput,
  name: string,
  signature: (method: DescMethod, cardinality: Cardinality) => Printable,
): void {
  if (target === "js") return;
  f.print(f.jsDoc(service));
  f.print(f.export("interface", name), " {");
  service.methods.forEach((method, index) => {
    if (index > 0) f.print();
    f.print(methodDoc(f, method));
    f.print("  ", methodKey(method), signature(method, cardinalityOf(method)), ";");
  });
  f.print("}");
  f.print();
}

function cardinalityOf({ methodKind }: DescMethod): Cardinality {
  return {
    takesMany: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    givesMany: methodKind === "server_streaming" || methodKind === "bidi_streaming",
  };
}
