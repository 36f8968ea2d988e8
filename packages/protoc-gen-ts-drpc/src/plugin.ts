// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createEcmaScriptPlugin, type Plugin, type Schema, type Target } from "@bufbuild/protoplugin";
import { generateClient } from "./generate-client.js";
import { generateGrpc } from "./generate-grpc.js";
import { generateHandler } from "./generate-handler.js";
import { assertDistinctMethods, createNames, generatedPath } from "./names.js";
import { type Options, parseOptions } from "./options.js";

/**
 * Creates the protoc plugin: for every proto file with services it writes a `*_drpc.ts` beside the `*_pb.ts` of
 * protoc-gen-es, and a `*_drpc_grpc.ts` if it is asked for adapters.
 *
 * It writes JavaScript and declaration files itself, too. protoplugin could transpile them, but it looks for
 * `lib.*.d.ts` in whichever TypeScript is installed at the top of `node_modules`, and fails beside TypeScript 7, which
 * has none there.
 */
export function createPlugin(defaults: Options = { generateAdapters: false }): Plugin {
  return createEcmaScriptPlugin<Options>({
    name: "protoc-gen-ts-drpc",
    version: `v${packageVersion()}`,
    parseOptions: (rawOptions) => parseOptions(rawOptions, defaults),
    generateTs: generate,
    generateJs: generate,
    generateDts: generate,
  });
}

function generate(schema: Schema<Options>, target: Target): void {
  for (const file of schema.files) {
    const f = schema.generateFile(generatedPath(file, target));
    f.preamble(file);
    for (const [service, names] of createNames(f, file)) {
      assertDistinctMethods(service);
      const output = { f, target, service, names };
      generateClient(output);
      generateHandler(output);
    }
    if (schema.options.generateAdapters) {
      const adapters = schema.generateFile(generatedPath(file, target, "grpc"));
      adapters.preamble(file);
      generateGrpc(adapters, file, target);
    }
  }
}

function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}
