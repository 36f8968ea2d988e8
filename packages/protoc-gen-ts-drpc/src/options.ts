// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** An option as the plugin was given it, cut at the first "=". */
export interface RawOption {
  readonly key: string;
  readonly value: string;
}

/** The options of this plugin itself. */
export interface Options {
  /** Write a second file for each with services, which brings them to @grpc/grpc-js. */
  readonly generateAdapters: boolean;
}

/** The options that the README lists: our own, and those that protoplugin parses for every plugin. */
export const knownOptions: readonly string[] = [
  "generate_adapters",
  "target",
  "import_extension",
  "js_import_style",
  "keep_empty_files",
  "ts_nocheck",
  "elide_plugin_version",
  "rewrite_imports",
  "map_imports",
];

/**
 * Parses the options that protoplugin did not take.
 *
 * @throws Error that names the first unknown option and lists the known ones.
 * @throws Error that names an option with a wrong value, and the values it takes.
 */
export function parseOptions(rawOptions: readonly RawOption[], defaults: Options): Options {
  let { generateAdapters } = defaults;
  for (const { key, value } of rawOptions) {
    if (key !== "generate_adapters" && key !== "generate-adapters") {
      throw new Error(`unknown option "${key}", the options are ${knownOptions.join(", ")}`);
    }
    generateAdapters = parseBoolean(key, value);
  }
  return { generateAdapters };
}

/** Parses a value as protoplugin does; an option without a value is true. */
function parseBoolean(key: string, value: string): boolean {
  switch (value) {
    case "":
    case "true":
    case "1":
      return true;
    case "false":
    case "0":
      return false;
    default:
      throw new Error(`${key} must be true or false, got "${value}"`);
  }
}
