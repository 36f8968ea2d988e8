// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** How large the code of a client with one service is. */
export interface BundleSize {
  readonly name: string;
  readonly platform: "browser" | "node";
  readonly minifiedBytes: number;
  readonly gzipBytes: number;
}

const bundles: readonly (readonly [name: string, platform: BundleSize["platform"], file: string])[] = [
  ["messages of protobuf-es alone", "browser", "messages-only"],
  ["@ts-drpc/core", "browser", "ts-drpc-core"],
  ["@connectrpc/connect-web, Connect", "browser", "connect-web"],
  ["@connectrpc/connect-web, gRPC-web", "browser", "connect-grpc-web"],
  ["nice-grpc-web", "browser", "nice-grpc-web"],
  ["capnweb, without protobuf", "browser", "capnweb"],
  ["tRPC over WebSocket, without protobuf", "browser", "trpc"],
  ["@ts-drpc/node", "node", "ts-drpc-node"],
  ["@connectrpc/connect-node", "node", "connect-node"],
  ["@grpc/grpc-js", "node", "grpc-js"],
  ["nice-grpc", "node", "nice-grpc"],
];

/** Bundles a client of each contender, minified, and measures it. */
export function measureBundles(): Promise<BundleSize[]> {
  return Promise.all(bundles.map(([name, platform, file]) => measure(name, platform, file)));
}

async function measure(name: string, platform: BundleSize["platform"], file: string): Promise<BundleSize> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, `bundles/${file}.ts`)],
    bundle: true,
    minify: true,
    format: "esm",
    platform,
    target: "es2022",
    conditions: ["@ts-drpc/source", "module"],
    write: false,
    logLevel: "error",
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return { name, platform, minifiedBytes: code.length, gzipBytes: gzipSync(code, { level: 9 }).length };
}
