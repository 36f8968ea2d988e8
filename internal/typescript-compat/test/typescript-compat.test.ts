// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The oldest TypeScript that protobuf-es supports, a dependency of this workspace, and the newest, the repository's. */
const compilers = {
  "4.9": path("../node_modules/typescript/bin/tsc"),
  "7.0": path("../../../node_modules/typescript/bin/tsc"),
};

/**
 * protobuf-es writes Uint8Array<ArrayBuffer>, which TypeScript knows since 5.7. Its users on older versions have to set
 * skipLibCheck. Only these complaints about its files are overlooked here, none about ours.
 */
const overlooked = /^\S*node_modules\/@bufbuild\/protobuf\/\S+: error TS2315: Type 'Uint8Array' is not generic\.$/;

const project = mkdtempSync(join(tmpdir(), "ts-drpc-compat-"));
after(() => rmSync(project, { recursive: true }));
for (const directory of ["golden", "types"]) {
  cpSync(path(`../../../packages/protoc-gen-ts-drpc/test/${directory}`), join(project, directory), { recursive: true });
}
symlinkSync(path("../../../node_modules"), join(project, "node_modules"));
writeFileSync(join(project, "package.json"), '{ "type": "module" }\n');

for (const [version, tsc] of Object.entries(compilers)) {
  suite(`TypeScript ${version}`, () => {
    test("is the version that is meant", () => {
      const printed = execFileSync(process.execPath, [tsc, "--version"], { encoding: "utf8" });
      assert.ok(printed.startsWith(`Version ${version}.`), printed);
    });

    test("compiles generated code, and our declarations too", () => {
      assert.deepEqual(compile(tsc), []);
    });
  });
}

function compile(tsc: string): string[] {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "DOM"],
    module: "node16",
    moduleResolution: "node16",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    isolatedModules: true,
    declaration: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["golden", "types"] }));
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  return (stdout + stderr).split("\n").filter((line) => line !== "" && !overlooked.test(line));
}
