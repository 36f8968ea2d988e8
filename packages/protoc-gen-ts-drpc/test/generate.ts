// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  CodeGeneratorResponseSchema,
} from "@bufbuild/protobuf/wkt";
import { createPlugin } from "../src/plugin.js";
import { compileText, programs } from "./compile-request.js";

const plugin = createPlugin();

/** The content of generated files by their path. */
export type Output = Record<string, string>;

/** Runs the plugin on proto files given as text. */
export function generate(files: Readonly<Record<string, string>>, parameter: string): Output {
  return toOutput(plugin.run(compileText(files, parameter)));
}

/** Runs the plugin in this process. */
export function runPlugin(request: CodeGeneratorRequest): Output {
  return toOutput(plugin.run(request));
}

/** Runs protoc-gen-es, which writes the messages that our output imports. */
export function runProtocGenEs(request: CodeGeneratorRequest): Output {
  const input = toBinary(CodeGeneratorRequestSchema, request);
  const output = execFileSync(process.execPath, [join(programs, "protoc-gen-es")], { input, maxBuffer: 1 << 28 });
  return toOutput(fromBinary(CodeGeneratorResponseSchema, output));
}

/** Returns the same request for another parameter. */
export function withParameter(request: CodeGeneratorRequest, parameter: string): CodeGeneratorRequest {
  return create(CodeGeneratorRequestSchema, { ...request, parameter });
}

/** Makes a directory that is removed after the test, in which the packages of this repository can be imported. */
export function createProject(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "protoc-gen-ts-drpc-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  symlinkSync(resolve(programs, ".."), join(directory, "node_modules"));
  return directory;
}

/** Writes generated files below a directory. */
export function writeOutput(directory: string, output: Output): void {
  for (const [path, content] of Object.entries(output)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** Type-checks a project and returns what the compiler says, which is nothing if all is well. */
export function typeCheck(project: string): string {
  const { stdout, stderr } = spawnSync(join(programs, "tsc"), ["-p", project, "--noEmit"], { encoding: "utf8" });
  return stdout + stderr;
}

function toOutput(response: CodeGeneratorResponse): Output {
  const output: Output = {};
  for (const file of response.file) output[file.name] = file.content;
  return output;
}
