// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** An option as the plugin was given it, cut at the first "=". */
export interface RawOption {
  readonly key: string;
  readonly value: string;
}

/** The options that protoplugin parses for every plugin, as the README lists them. */
export const knownOptions: readonly string[] = [
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
 * Refuses every option that protoplugin did not take: this plugin has none of its own.
 *
 * @throws Error that names the first unknown option and lists the known ones.
 */
export function parseOptions(rawOptions: readonly RawOption[]): object {
  for (const { key } of rawOptions) {
    throw new Error(`unknown option "${key}", the options are ${knownOptions.join(", ")}`);
  }
  return {};
}
