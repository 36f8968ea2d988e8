// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "../../..");

const place = mkdtempSync(join(tmpdir(), "ts-drpc-layers-"));
const { vcs: _, ...rules } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
writeFileSync(join(place, "biome.json"), JSON.stringify(rules));
after(() => rmSync(place, { recursive: true }));

/** Lints code in a file of this folder, by the rules of the repository, and returns what the linter says. */
function lint(folder: string, code: string): string {
  const directory = join(place, "packages", folder);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "planted.ts"), `${code}\n`);
  const biome = join(root, "node_modules/.bin/biome");
  const { stdout, stderr } = spawnSync(biome, ["lint", join("packages", folder, "planted.ts")], {
    cwd: place,
    encoding: "utf8",
  });
  return stdout + stderr;
}

const violations: readonly (readonly [what: string, folder: string, code: string, rule: string])[] = [
  ["vocabulary imports wire", "core/src/vocabulary", 'export { Kind } from "../wire/kind.js";', "noRestrictedImports"],
  ["wire imports vocabulary", "core/src/wire", 'export { Code } from "../vocabulary/code.js";', "noRestrictedImports"],
  ["codec imports wire", "core/src/codec", 'export { Kind } from "../wire/kind.js";', "noRestrictedImports"],
  ["session imports rpc", "core/src/session", 'export { Router } from "../rpc/router.js";', "noRestrictedImports"],
  ["session knows messages", "core/src/session", 'export { create } from "@bufbuild/protobuf";', "noRestrictedImports"],
  ["rpc imports testing", "core/src/rpc", 'export * from "../testing/index.js";', "noRestrictedImports"],
  ["rpc imports adapter", "core/src/rpc", 'export * from "../adapter/index.js";', "noRestrictedImports"],
  ["core imports a module of Node", "core/src/rpc", 'export * from "node:fs";', "noNodejsModules"],
  ["core uses Buffer", "core/src/rpc", "export const size: number = Buffer.poolSize;", "noRestrictedGlobals"],
  ["core uses process", "core/src/session", "export const pid: number = process.pid;", "noRestrictedGlobals"],
  ["grpc reaches into core", "grpc/src", 'export * from "@ts-drpc/core/src/rpc/router.js";', "noRestrictedImports"],
  [
    "connect reaches into core",
    "connect/src",
    'export * from "@ts-drpc/core/src/rpc/router.js";',
    "noRestrictedImports",
  ],
  ["node reaches into core", "node/src", 'export * from "@ts-drpc/core/src/rpc/router.js";', "noRestrictedImports"],
  ["compression imports a module of Node", "compression/src", 'export * from "node:zlib";', "noNodejsModules"],
  ["compression uses Buffer", "compression/src", "export const size: number = Buffer.poolSize;", "noRestrictedGlobals"],
  [
    "compression reaches into core",
    "compression/src",
    'export * from "@ts-drpc/core/src/rpc/router.js";',
    "noRestrictedImports",
  ],
];

for (const [what, folder, code, rule] of violations) {
  test(`the linter refuses that ${what}`, () => assert.match(lint(folder, code), new RegExp(rule)));
}

test("the linter accepts an import downward", () => {
  assert.doesNotMatch(lint("core/src/session", 'export { Kind } from "../wire/kind.js";'), /noRestrictedImports/);
});

test("the linter accepts that grpc imports what core has for adapters", () => {
  assert.doesNotMatch(lint("grpc/src", 'export { Kind } from "@ts-drpc/core/adapter";'), /noRestrictedImports/);
});
