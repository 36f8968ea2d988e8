// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { knownOptions, parseOptions } from "../src/options.js";
import { parseArguments } from "../src/program-arguments.js";
import { compileText } from "./compile-request.js";
import { runPlugin, withParameter } from "./generate.js";

const request = compileText(
  {
    "dir/a.proto": `syntax = "proto3"; import "b.proto"; service A { rpc Call(B) returns (B); }`,
    "b.proto": `syntax = "proto3"; message B {}`,
  },
  "",
);

const generate = (parameter: string) => runPlugin(withParameter(request, parameter));

suite("an option that nobody knows is refused by name", () => {
  const known = knownOptions.join(", ");
  const refused: Record<string, string> = {
    "no_such_option=1": `invalid option "no_such_option=1": unknown option "no_such_option", the options are ${known}`,
    no_value: `invalid option "no_value": unknown option "no_value", the options are ${known}`,
    "target=ts,Target=ts": `invalid option "Target=ts": unknown option "Target", the options are ${known}`,
    "first=1,second=2": `invalid option "first=1,second=2": unknown option "first", the options are ${known}`,
    "json_types=true": `invalid option "json_types=true": unknown option "json_types", the options are ${known}`,
  };
  for (const [parameter, message] of Object.entries(refused)) {
    test(parameter, () => assert.throws(() => generate(parameter), { name: "PluginOptionError", message }));
  }
});

suite("a wrong value of a known option is refused with the option", () => {
  for (const option of ["target=java", "target=ts+java", "import_extension=mjs", "keep_empty_files=maybe"]) {
    test(option, () => assert.throws(() => generate(option), { message: `invalid option "${option}"` }));
  }
});

suite("generate_adapters writes a second file for each with services", () => {
  const both = ["dir/a_drpc.ts", "dir/a_drpc_grpc.ts"];
  for (const option of [
    "generate_adapters=true",
    "generate-adapters=true",
    "generate_adapters=1",
    "generate-adapters",
  ]) {
    test(option, () => assert.deepEqual(Object.keys(generate(`target=ts,${option}`)).sort(), both));
  }

  for (const option of ["generate_adapters=false", "generate-adapters=0"]) {
    test(option, () => assert.deepEqual(Object.keys(generate(`target=ts,${option}`)), ["dir/a_drpc.ts"]));
  }

  test("the first file is the same with it and without", () => {
    const [without, adapters] = [generate("target=ts"), generate("target=ts,generate_adapters=true")];
    const content = (text = "") => text.replace(/^\/\/ @generated.*$/m, "");
    assert.equal(content(adapters["dir/a_drpc.ts"]), content(without["dir/a_drpc.ts"]));
  });

  test("a value that is neither is refused", () => {
    const message = `invalid option "generate_adapters=maybe": generate_adapters must be true or false, got "maybe"`;
    assert.throws(() => generate("generate_adapters=maybe"), { name: "PluginOptionError", message });
  });

  test("the argument of the program is its default", () => {
    const { options, rest } = parseArguments(["--generate-adapters", "--version"]);
    assert.deepEqual([options, rest], [{ generateAdapters: true }, ["--version"]]);
    assert.deepEqual(parseArguments([]).options, { generateAdapters: false });
    assert.deepEqual(parseOptions([], options), { generateAdapters: true });
    const off = [{ key: "generate_adapters", value: "false" }];
    assert.deepEqual(parseOptions(off, options), { generateAdapters: false });
  });
});

suite("the options of protoplugin work", () => {
  test("target chooses the files, JavaScript and declarations unless it is given", () => {
    assert.deepEqual(Object.keys(generate("target=ts")), ["dir/a_drpc.ts"]);
    assert.deepEqual(Object.keys(generate("target=js")), ["dir/a_drpc.js"]);
    assert.deepEqual(Object.keys(generate("target=dts")), ["dir/a_drpc.d.ts"]);
    assert.deepEqual(Object.keys(generate("")).sort(), ["dir/a_drpc.d.ts", "dir/a_drpc.js"]);
    assert.deepEqual(Object.keys(generate("target=ts+js+dts")).length, 3);
  });

  test("import_extension ends the imports of generated files and of nothing else", () => {
    const ends = { none: "../b_pb", js: "../b_pb.js", ts: "../b_pb.ts" };
    for (const [extension, path] of Object.entries(ends)) {
      const content = generate(`target=ts,import_extension=${extension}`)["dir/a_drpc.ts"] ?? "";
      assert.ok(content.includes(`from "${path}";`), content);
      assert.ok(content.includes('from "@ts-drpc/core";'), content);
    }
  });

  test("keep_empty_files keeps the files of protos without services", () => {
    assert.deepEqual(Object.keys(generate("target=ts,keep_empty_files=true")).sort(), ["b_drpc.ts", "dir/a_drpc.ts"]);
  });

  test("rewrite_imports moves messages and the runtime package", () => {
    const content = generate("target=ts,rewrite_imports=./b_pb.js:@acme/b,rewrite_imports=@ts-drpc/core:@acme/drpc");
    assert.match(content["dir/a_drpc.ts"] ?? "", /from "@acme\/b\/b_pb.js";/);
    assert.match(content["dir/a_drpc.ts"] ?? "", /from "@acme\/drpc";/);
  });

  test("map_imports takes the messages of a proto file from a package", () => {
    const content = generate("target=ts,map_imports=b.proto:@acme/b")["dir/a_drpc.ts"];
    assert.match(content ?? "", /from "@acme\/b\/b_pb.js";/);
  });

  test("js_import_style=legacy_commonjs requires and exports", () => {
    const content = generate("target=js,js_import_style=legacy_commonjs")["dir/a_drpc.js"] ?? "";
    assert.match(content, /require\("@ts-drpc\/core"\)/);
    assert.match(content, /exports\.createAClient = createAClient/);
  });

  test("ts_nocheck and elide_plugin_version change the head of the file", () => {
    assert.match(generate("target=ts,ts_nocheck=true")["dir/a_drpc.ts"] ?? "", /^\/\/ @ts-nocheck$/m);
    assert.match(
      generate("target=ts")["dir/a_drpc.ts"] ?? "",
      /^\/\/ @generated by protoc-gen-ts-drpc v\d+\.\d+\.\d+ /m,
    );
    const elided = generate("target=ts,elide_plugin_version=true")["dir/a_drpc.ts"] ?? "";
    assert.match(elided, /^\/\/ @generated by protoc-gen-ts-drpc with parameter /m);
  });
});
