// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, createFileRegistry, type DescFile, fromBinary } from "@bufbuild/protobuf";
import { type CodeGeneratorRequest, CodeGeneratorRequestSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The directory of the programs that npm installed: buf, tsc, protoc-gen-es and the plugin itself. */
export const programs: string = fileURLToPath(new URL("../../../node_modules/.bin/", import.meta.url));

/** The directory with the proto files that golden output is made of. */
export const testdata: string = fileURLToPath(new URL("testdata", import.meta.url));

/** Returns the paths of all files below a directory, relative to it and sorted. */
export function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Compiles all proto files of a directory to the request that protoc would send to a plugin. */
export function compileDirectory(directory: string, parameter: string): CodeGeneratorRequest {
  const image = execFileSync(join(programs, "buf"), ["build", directory, "-o", "-#format=binpb"], {
    maxBuffer: 1 << 28,
  });
  return create(CodeGeneratorRequestSchema, {
    parameter,
    fileToGenerate: listFiles(directory).filter((path) => path.endsWith(".proto")),
    protoFile: fromBinary(FileDescriptorSetSchema, image).file,
  });
}

/** Compiles proto files given as text to the request that protoc would send to a plugin. */
export function compileText(files: Readonly<Record<string, string>>, parameter: string): CodeGeneratorRequest {
  const directory = mkdtempSync(join(tmpdir(), "protoc-gen-ts-drpc-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return compileDirectory(directory, parameter);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Compiles the text of one proto file and returns its descriptor. */
export function compileFile(text: string): DescFile {
  const request = compileText({ "test.proto": text }, "");
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const file = registry.getFile("test.proto");
  if (file === undefined) throw new Error("buf returned no test.proto");
  return file;
}
