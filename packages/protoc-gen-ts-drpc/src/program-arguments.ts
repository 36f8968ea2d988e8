// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Options } from "./options.js";

/** What the arguments of the program say. */
export interface ProgramArguments {
  readonly options: Options;
  /** Those that are none of ours. */
  readonly rest: readonly string[];
}

/** Takes from the arguments of the program what stands for an option of the plugin. */
export function parseArguments(args: readonly string[]): ProgramArguments {
  const isAdapters = (arg: string): boolean => arg === "--generate-adapters" || arg === "--generate_adapters";
  return { options: { generateAdapters: args.some(isAdapters) }, rest: args.filter((arg) => !isAdapters(arg)) };
}
