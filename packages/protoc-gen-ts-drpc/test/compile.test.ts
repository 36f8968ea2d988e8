// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileDirectory, testdata } from "./compile-request.js";
import { createProject, runPlugin, runProtocGenEs, typeCheck, withParameter, writeOutput } from "./generate.js";

test("the golden files and the type tests compile under the strictest settings", () => {
  assert.equal(typeCheck(fileURLToPath(new URL("tsconfig.golden.json", import.meta.url))), "");
});

suite("output of each target compiles and loads", () => {
  const request = compileDirectory(testdata, "");
  const variants = [
    { parameter: "target=js+dts,import_extension=js", module: "nodenext", loads: true },
    { parameter: "target=js+dts", module: "bundler", loads: false },
    { parameter: "target=js+dts,js_import_style=legacy_commonjs,import_extension=js", module: "commonjs", loads: true },
    { parameter: "target=ts,import_extension=ts", module: "nodenext", loads: false },
    { parameter: "target=ts,ts_nocheck=true", module: "bundler", loads: false },
  ];
  for (const { parameter, module, loads } of variants) {
    test(parameter, (t) => {
      const project = createProject(t);
      const variant = withParameter(request, parameter);
      const type = module === "commonjs" ? "commonjs" : "module";
      writeFileSync(join(project, "package.json"), JSON.stringify({ type }));
      writeOutput(join(project, "gen"), { ...runProtocGenEs(variant), ...runPlugin(variant) });
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings(module)));
      assert.equal(typeCheck(project), "");
      if (!loads) return;
      assert.deepEqual(exportsOf(join(project, "gen/service_drpc.js"), type), [
        "createLineServiceClient",
        "createOldLineServiceClient",
        "registerLineService",
        "registerOldLineService",
      ]);
    });
  }
});

/** Loads a generated module as a program of the user would, and returns the names of its exports. */
function exportsOf(path: string, type: "commonjs" | "module"): string[] {
  const loaded = type === "commonjs" ? `require(${JSON.stringify(path)})` : `await import(${JSON.stringify(path)})`;
  const script = `console.log(JSON.stringify(Object.keys(${loaded}).sort()))`;
  const args = ["--no-warnings", `--input-type=${type}`, "--eval", script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function settings(module: string): object {
  return {
    compilerOptions: {
      target: "es2022",
      lib: ["es2022", "esnext.disposable", "DOM"],
      module: module === "bundler" ? "preserve" : "nodenext",
      moduleResolution: module === "bundler" ? "bundler" : "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
    },
    include: ["gen"],
  };
}
