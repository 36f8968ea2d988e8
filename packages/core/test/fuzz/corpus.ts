// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hex, toHex } from "@ts-drpc-internal/fixtures";
import { seedOf } from "./random.js";

const root = fileURLToPath(new URL("corpus/", import.meta.url));

/** The inputs that are kept for a target: what once failed, and what reached code that nothing else did. */
export function readCorpus(target: string): Uint8Array[] {
  const folder = `${root}${target}`;
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  return files.map((file) => hex(readFileSync(`${folder}/${file}`, "utf8").trim()));
}

/** Returns the path of a file of the corpus. */
export function corpusPath(target: string, name: string): string {
  mkdirSync(`${root}${target}`, { recursive: true });
  return `${root}${target}/${name}.hex`;
}

/** Keeps an input for a target, as hex, and returns the path of the file. */
export function addToCorpus(target: string, input: Uint8Array, why: "failed" | "found"): string {
  const path = corpusPath(target, `${why}-${seedOf(input).toString(16).padStart(8, "0")}`);
  writeFileSync(path, `${toHex(input)}\n`);
  return path;
}
