// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { type Batch, programs } from "./protos.js";

/** The settings under which everything is compiled. */
const tsconfig = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2022", "esnext.disposable", "DOM"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    isolatedDeclarations: true,
    declaration: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  },
};

/** Makes a directory outside the repository in which generated files find our packages. */
export function createProject(): string {
  const project = mkdtempSync(join(tmpdir(), "ts-drpc-corpus-"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }\n');
  symlinkSync(resolve(programs, ".."), join(project, "node_modules"));
  return project;
}

/** What was generated, and the descriptors it was generated from. */
export interface Generated {
  readonly file: FileDescriptorProto;
  /** The content of our generated file, undefined if there is none. */
  readonly services: string | undefined;
  /** The content of our file with adapters, undefined if there is none. */
  readonly adapters: string | undefined;
}

/** Writes a configuration that compiles what was generated for the given proto files, and returns its path. */
export function writeConfig(project: string, generated: readonly Generated[]): string {
  const files = generated.flatMap(({ file, services, adapters }) => {
    const path = `gen/${file.name.replace(/\.proto$/, "")}`;
    const written = [`${path}_pb.ts`];
    if (services !== undefined) written.push(`${path}_drpc.ts`);
    if (adapters !== undefined) written.push(`${path}_drpc_grpc.ts`);
    return written;
  });
  const path = join(project, "tsconfig.json");
  writeFileSync(path, JSON.stringify({ ...tsconfig, files }));
  return path;
}

/**
 * Generates messages with protoc-gen-es and services with our plugin, started with these arguments, and writes them
 * below the project.
 */
export async function generate(project: string, batch: Batch, args: readonly string[] = []): Promise<Generated[]> {
  const request = create(CodeGeneratorRequestSchema, {
    parameter: "target=ts,import_extension=js",
    fileToGenerate: batch.generate,
    protoFile: batch.files,
  });
  const input = toBinary(CodeGeneratorRequestSchema, request);
  const messages = await runPlugin("protoc-gen-es", input);
  const services = await runPlugin("protoc-gen-ts-drpc", input, args);
  write(project, messages);
  write(project, services);
  const wanted = new Set(batch.generate);
  return batch.files
    .filter((file) => wanted.has(file.name))
    .map((file) => {
      const path = file.name.replace(/\.proto$/, "");
      return { file, services: services.get(`${path}_drpc.ts`), adapters: services.get(`${path}_drpc_grpc.ts`) };
    });
}

async function runPlugin(name: string, input: Uint8Array, args: readonly string[] = []): Promise<Map<string, string>> {
  const child = spawn(process.execPath, [join(programs, name), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  const closed = once(child, "close");
  const output = await buffer(child.stdout);
  const [code] = await closed;
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  const response = fromBinary(CodeGeneratorResponseSchema, output);
  return new Map(response.file.map((file) => [file.name, file.content]));
}

function write(project: string, files: ReadonlyMap<string, string>): void {
  for (const [path, content] of files) {
    const target = join(project, "gen", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}
