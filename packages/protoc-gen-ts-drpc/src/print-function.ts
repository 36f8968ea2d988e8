// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { GeneratedFile, Printable, Target } from "@bufbuild/protoplugin";

/** A function of a generated file, in parts. */
export interface PrintedFunction {
  readonly name: string;
  /** The names and types of the parameters, and of some that they may be left out. */
  readonly parameters: ReadonlyArray<readonly [name: Printable, type: Printable, optional?: "optional"]>;
  readonly result: Printable;
  /** The one statement of the body. */
  readonly body: Printable;
}

/** Prints an exported function: whole in TypeScript, without types in JavaScript, without a body in declarations. */
export function printFunction(f: GeneratedFile, target: Target, printed: PrintedFunction): void {
  const { name, parameters, result, body } = printed;
  const list = parameters.flatMap(([parameter, type, optional], index): Printable[] => {
    const separator = index > 0 ? ", " : "";
    return target === "js"
      ? [separator, parameter]
      : [separator, parameter, optional === undefined ? ": " : "?: ", type];
  });
  const resultType: Printable = target === "js" ? "" : [": ", result];
  if (target === "dts") {
    f.print(f.export("declare function", name), "(", list, ")", resultType, ";");
  } else {
    f.print(f.export("function", name), "(", list, ")", resultType, " {");
    f.print("  ", body);
    f.print("}");
  }
  f.print();
}
