// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { compileText, listFiles, programs, testdata } from "./compile-request.js";
import { createProject } from "./generate.js";

const golden = fileURLToPath(new URL("golden", import.meta.url));
const bin = join(programs, "protoc-gen-ts-drpc");
const hello = { "hello.proto": `syntax = "proto3"; message M {} service S { rpc Call(M) returns (M); }` };

function run(args: string[], input: Uint8Array): { status: number | null; stdout: Buffer; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { input });
  return { status, stdout, stderr: stderr.toString() };
}

/** Runs "buf generate" on a directory of proto files, with the plugins found on the PATH. */
function bufGenerate(project: string, protos: string, opt: string[]): { status: number | null; stderr: string } {
  const plugin = (local: string) => ({ local, out: join(project, "gen"), opt });
  const template = join(project, "buf.gen.yaml");
  writeFileSync(template, JSON.stringify({ version: "v2", plugins: [plugin("protoc-gen-ts-drpc")] }));
  const path = programs + delimiter + process.env["PATH"];
  const { status, stderr } = spawnSync(join(programs, "buf"), ["generate", protos, "--template", template], {
    env: { ...process.env, PATH: path },
    encoding: "utf8",
  });
  return { status, stderr };
}

suite("buf generate", () => {
  test("writes the golden files with local: protoc-gen-ts-drpc", (t) => {
    const project = createProject(t);
    const opt = ["target=ts", "import_extension=js", "elide_plugin_version=true"];
    assert.deepEqual(bufGenerate(project, testdata, opt), { status: 0, stderr: "" });
    const written = listFiles(join(project, "gen"));
    assert.deepEqual(
      written,
      listFiles(golden).filter((path) => path.endsWith("_drpc.ts")),
    );
    for (const path of written) {
      assert.equal(readFileSync(join(project, "gen", path), "utf8"), readFileSync(join(golden, path), "utf8"));
    }
  });

  test("fails with the name of an unknown option", (t) => {
    const { status, stderr } = bufGenerate(createProject(t), testdata, ["target=ts", "no_such_option=1"]);
    assert.notEqual(status, 0);
    assert.match(stderr, /unknown option "no_such_option", the options are generate_adapters, target, /);
  });

  test("fails with the place of a mistake in a proto file", (t) => {
    const project = createProject(t);
    const protos = join(project, "proto");
    mkdirSync(protos);
    writeFileSync(
      join(protos, "bad.proto"),
      'syntax = "proto3";\nservice S { rpc Call(Missing) returns (Missing); }\n',
    );
    const { status, stderr } = bufGenerate(project, protos, ["target=ts"]);
    assert.notEqual(status, 0);
    assert.match(stderr, /bad\.proto:2:22:cannot find `Missing`/);
  });
});

suite("the program as protoc runs it", () => {
  test("answers a request on standard input", () => {
    const { status, stdout, stderr } = run([], toBinary(CodeGeneratorRequestSchema, compileText(hello, "target=ts")));
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    const response = fromBinary(CodeGeneratorResponseSchema, stdout);
    assert.deepEqual(
      response.file.map((file) => file.name),
      ["hello_drpc.ts"],
    );
    assert.equal(response.error, "");
  });

  test("writes adapters for the argument --generate-adapters", () => {
    const input = toBinary(CodeGeneratorRequestSchema, compileText(hello, "target=ts"));
    const { status, stdout, stderr } = run(["--generate-adapters"], input);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    const names = fromBinary(CodeGeneratorResponseSchema, stdout).file.map((file) => file.name);
    assert.deepEqual(names, ["hello_drpc.ts", "hello_drpc_grpc.ts"]);
  });

  test("names an unknown option and fails", () => {
    const { status, stdout, stderr } = run([], toBinary(CodeGeneratorRequestSchema, compileText(hello, "nope=1")));
    assert.deepEqual({ status, output: stdout.length }, { status: 1, output: 0 });
    assert.match(stderr, /^protoc-gen-ts-drpc: invalid option "nope=1": unknown option "nope", the options are /);
  });

  test("fails on input that is no request", () => {
    const { status, stderr } = run([], new TextEncoder().encode("syntax = proto3;"));
    assert.equal(status, 1);
    assert.match(stderr, /^protoc-gen-ts-drpc: /);
  });
});

suite("the program as a person runs it", () => {
  test("prints its version, which is the package's", () => {
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const { status, stdout } = run(["--version"], new Uint8Array());
    assert.equal(status, 0);
    assert.equal(stdout.toString(), `protoc-gen-ts-drpc v${manifest.version}\n`);
  });

  test("prints how it is used for --help", () => {
    const { status, stdout } = run(["--help"], new Uint8Array());
    assert.equal(status, 0);
    assert.match(stdout.toString(), /buf generate[\s\S]*protoc -I/);
  });

  test("refuses other arguments", () => {
    const { status, stderr } = run(["echo.proto"], new Uint8Array());
    assert.equal(status, 1);
    assert.match(stderr, /CodeGeneratorRequest on stdin/);
  });
});
