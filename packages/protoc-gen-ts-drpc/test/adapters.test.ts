// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileDirectory, listFiles, testdata } from "./compile-request.js";
import {
  createProject,
  type Output,
  runPlugin,
  runProtocGenEs,
  typeCheck,
  withParameter,
  writeOutput,
} from "./generate.js";

const golden = fileURLToPath(new URL("adapters/golden", import.meta.url));
const request = compileDirectory(testdata, "target=ts,import_extension=js,elide_plugin_version=true");

/** Runs the plugin with adapters. */
function generate(parameter: string): Output {
  return runPlugin(withParameter(request, `${parameter},elide_plugin_version=true,generate_adapters=true`));
}

suite("golden adapters", () => {
  const output = Object.fromEntries(
    Object.entries(generate("target=ts,import_extension=js")).filter(([path]) => path.endsWith("_drpc_grpc.ts")),
  );
  if (process.env["UPDATE_GOLDEN"] === "1") {
    rmSync(golden, { recursive: true, force: true });
    writeOutput(golden, output);
  }
  for (const [path, content] of Object.entries(output)) {
    test(`${path} is what was reviewed`, () => {
      assert.ok(existsSync(join(golden, path)), `${path} is new, run the test with UPDATE_GOLDEN=1 and review it`);
      assert.equal(content, readFileSync(join(golden, path), "utf8"));
    });
  }
  test("no golden file is left over", () => {
    assert.deepEqual(listFiles(golden), Object.keys(output).sort());
  });
});

suite("adapters of each target compile and load", () => {
  const variants = [
    { parameter: "target=ts,import_extension=js", module: "nodenext", loads: false },
    { parameter: "target=js+dts,import_extension=js", module: "nodenext", loads: true },
    { parameter: "target=js+dts", module: "bundler", loads: false },
  ];
  for (const { parameter, module, loads } of variants) {
    test(parameter, async (t) => {
      const project = createProject(t);
      writeOutput(join(project, "gen"), runProtocGenEs(withParameter(request, parameter)));
      writeOutput(join(project, "gen"), generate(parameter));
      const compilerOptions = {
        target: "es2022",
        lib: ["es2022", "esnext.disposable", "DOM"],
        module: module === "bundler" ? "esnext" : module,
        moduleResolution: module,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noUnusedLocals: true,
        noUnusedParameters: true,
        verbatimModuleSyntax: true,
        isolatedModules: true,
        isolatedDeclarations: true,
        declaration: true,
        // The declarations of grpc-js do not compile under all of these.
        skipLibCheck: true,
        types: [],
      };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["gen"] }));
      assert.equal(typeCheck(project), "");
      if (loads) {
        const loaded = await import(pathToFileURL(join(project, "gen/service_drpc_grpc.js")).href);
        assert.equal(typeof loaded.addLineServiceToGrpcServer, "function");
        assert.equal(typeof loaded.createLineServiceGrpcClient, "function");
      }
    });
  }
});

test("without adapters no file imports grpc-js or its adapter", () => {
  for (const [path, content] of Object.entries(runPlugin(request))) {
    assert.doesNotMatch(content, /grpc/i, path);
  }
});

test("a service that is deprecated deprecates both functions", () => {
  const content = readFileSync(join(golden, "deprecated-file_drpc_grpc.ts"), "utf8");
  assert.equal(content.split("\n * @deprecated\n */\nexport ").length - 1, 2);
});
