// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Generated } from "./generate.js";
import { programs } from "./protos.js";

/**
 * Compares a generated file with its descriptor: each service has its four declarations, each method is in the client
 * and in the handler, and there is nothing else. Returns what is wrong, which is nothing if all is well.
 */
export function compare({ file, services }: Generated): string[] {
  const content = services ?? "";
  const prefix = file.package === "" ? "" : `${file.package}.`;
  const expected: string[] = [];
  for (const service of file.service) {
    const typeName = prefix + service.name;
    for (let i = 0; i < 4; i++) expected.push(`service ${typeName}`);
    for (const method of service.method)
      expected.push(`rpc ${typeName}.${method.name}`, `rpc ${typeName}.${method.name}`);
  }
  const found = [...content.matchAll(/^ +\* @generated from ((?:service|rpc) \S+)$/gm)].map((match) => match[1]);
  const wrong = difference(expected.sort(), found.sort());
  const declarations = content.match(/^export (?:interface|function) /gm)?.length ?? 0;
  if (declarations !== 4 * file.service.length) wrong.push(`${declarations} declarations`);
  const signatures = content.match(/^ {2}\S+\(requests?: .*\): .*;$/gm)?.length ?? 0;
  const methods = file.service.reduce((sum, service) => sum + service.method.length, 0);
  if (signatures !== 2 * methods) wrong.push(`${signatures} method signatures for ${methods} methods`);
  return wrong.map((what) => `${file.name}: ${what}`);
}

/**
 * Type-checks a project and returns the lines that the compiler prints, none if all is well.
 * With one checker instead of several, the compiler takes less memory and, on few cores, less time.
 */
export function typeCheck(config: string): string[] {
  const { stdout, stderr, error } = spawnSync(join(programs, "tsc"), ["-p", config, "--checkers", "1"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  return (stdout + stderr).split("\n").filter((line) => line !== "");
}

function difference(expected: readonly string[], found: readonly (string | undefined)[]): string[] {
  if (expected.length === found.length && expected.every((name, index) => name === found[index])) return [];
  const missing = expected.filter((name) => !found.includes(name)).map((name) => `${name} is missing`);
  const extra = found
    .filter((name) => name === undefined || !expected.includes(name))
    .map((name) => `${name} is extra`);
  return [`${found.length} names instead of ${expected.length}`, ...missing, ...extra];
}
