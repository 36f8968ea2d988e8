// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileDirectory, listFiles, testdata } from "./compile-request.js";
import { generate, type Output, runPlugin, runProtocGenEs, writeOutput } from "./generate.js";

const golden = fileURLToPath(new URL("golden", import.meta.url));

suite("golden output", () => {
  const request = compileDirectory(testdata, "target=ts,import_extension=js,elide_plugin_version=true");
  const output: Output = { ...runProtocGenEs(request), ...runPlugin(request) };
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

test("a file without services gives no file", () => {
  assert.deepEqual(generate({ "a.proto": `syntax = "proto3"; message A {}` }, "target=ts"), {});
});

test("only the files that protoc asked for are generated", () => {
  const request = compileDirectory(testdata, "target=ts");
  request.fileToGenerate = ["two/first.proto"];
  assert.deepEqual(Object.keys(runPlugin(request)), ["two/first_drpc.ts"]);
});

test("a well-known type is imported from the protobuf runtime", () => {
  const files = {
    "a.proto": `syntax = "proto3"; import "google/protobuf/empty.proto";
      service A { rpc Call(google.protobuf.Empty) returns (google.protobuf.Empty); }`,
  };
  assert.match(generate(files, "target=ts")["a_drpc.ts"] ?? "", /import type .* from "@bufbuild\/protobuf\/wkt";/);
});

test("every method has its comment, its origin and its deprecation in the client and in the handler", () => {
  const content = readFileSync(join(golden, "service_drpc.ts"), "utf8");
  const shout = [
    "   * Shout is what Say was called before.",
    "   *",
    "   * @generated from rpc testdata.service.v1.LineService.Shout",
    "   * @deprecated",
    "   * @generated with option idempotency_level = NO_SIDE_EFFECTS",
    "   */",
    "  shout(",
  ].join("\n");
  assert.equal(content.split(shout).length - 1, 2);
});

test("a file that is deprecated deprecates all four declarations of its services", () => {
  const content = readFileSync(join(golden, "deprecated-file_drpc.ts"), "utf8");
  assert.equal(content.split("\n * @deprecated\n */\nexport ").length - 1, 4);
});

test("a comment cannot end the comment it is printed in", () => {
  const content = readFileSync(join(golden, "comments_drpc.ts"), "utf8");
  const outside = content.replace(/^\/\/.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");
  assert.doesNotMatch(outside, /injected|paragraph|Trailing|opened/);
});
