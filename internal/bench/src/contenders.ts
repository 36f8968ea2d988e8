// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Contender } from "./contender.js";

/** How to load each contender. A process loads one, so that its memory is that of one. */
const loaders = {
  "ts-drpc": () => import("./contenders/ts-drpc.js"),
  "ts-drpc (all features)": () => import("./contenders/ts-drpc-all-features.js"),
  "grpc-js": () => import("./contenders/grpc-js.js"),
  "nice-grpc": () => import("./contenders/nice-grpc.js"),
  Connect: () => import("./contenders/connect.js"),
  "Connect (gRPC)": () => import("./contenders/connect-grpc.js"),
  capnweb: () => import("./contenders/capnweb.js"),
  tRPC: () => import("./contenders/trpc.js"),
  "raw socket": () => import("./contenders/raw-socket.js"),
} satisfies Record<string, () => Promise<{ contender: Contender }>>;

/** The name of a contender. */
export type ContenderName = keyof typeof loaders;

/** All contenders, in the order of the tables. The last is the floor that they are measured against. */
export const contenderNames = Object.keys(loaders) as readonly ContenderName[];

/** Those that have streams: the others have unary calls only. */
export const streamingContenders: readonly ContenderName[] = contenderNames.filter(
  (name) => name !== "capnweb" && name !== "tRPC",
);

/** Loads a contender. */
export async function loadContender(name: ContenderName): Promise<Contender> {
  return (await loaders[name]()).contender;
}
