// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { leftOut } from "./left-out.js";

/** The directory of the programs that npm installed. */
export const programs: string = fileURLToPath(new URL("../../../node_modules/.bin/", import.meta.url));

/** The directory of the npm package google-proto-files. */
export const corpusDirectory: string = dirname(fileURLToPath(import.meta.resolve("google-proto-files/package.json")));

/** Returns the paths of all proto files in the corpus, those that are left out included. */
export function listProtos(): string[] {
  return readdirSync(corpusDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".proto"))
    .map((entry) => relative(corpusDirectory, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Compiles the corpus, or only the given files of it, and whatever these import.
 * A file comes after the files that it imports.
 */
export function compileProtos(only: readonly string[] = []): FileDescriptorProto[] {
  const args = ["build", corpusDirectory, "-o", "-#format=binpb"];
  for (const { path } of leftOut) args.push("--exclude-path", join(corpusDirectory, path));
  for (const path of only) args.push("--path", join(corpusDirectory, path));
  return fromBinary(FileDescriptorSetSchema, execFileSync(join(programs, "buf"), args, { maxBuffer: 1 << 30 })).file;
}

/** Some files to generate, and all files they need, in the order in which a plugin expects them. */
export interface Batch {
  readonly generate: string[];
  readonly files: FileDescriptorProto[];
}

/**
 * Cuts files into batches of a bounded number of files and of messages, so that no plugin has to hold all of them in
 * memory. protoplugin's time grows with the square of the messages of a file: the two largest files of the corpus
 * take most of it, and get a batch of their own each.
 */
export function* batches(files: readonly FileDescriptorProto[]): Generator<Batch> {
  const byName = new Map(files.map((file) => [file.name, file]));
  let generate: string[] = [];
  let messages = 0;
  for (const name of [...byName.keys()].sort()) {
    const more = byName.get(name)?.messageType.length ?? 0;
    if (generate.length === maxFiles || (generate.length > 0 && messages + more > maxMessages)) {
      yield completed(generate, byName);
      generate = [];
      messages = 0;
    }
    generate.push(name);
    messages += more;
  }
  if (generate.length > 0) yield completed(generate, byName);
}

const maxFiles = 500;
const maxMessages = 2000;

function completed(generate: string[], byName: ReadonlyMap<string, FileDescriptorProto>): Batch {
  const needed = new Set<FileDescriptorProto>();
  for (const name of generate) addWithImports(name, byName, needed);
  return { generate, files: [...needed] };
}

function addWithImports(
  name: string,
  byName: ReadonlyMap<string, FileDescriptorProto>,
  needed: Set<FileDescriptorProto>,
): void {
  const file = byName.get(name);
  if (file === undefined) throw new Error(`${name} is imported and was not compiled`);
  if (needed.has(file)) return;
  for (const dependency of file.dependency) addWithImports(dependency, byName, needed);
  needed.add(file);
}
