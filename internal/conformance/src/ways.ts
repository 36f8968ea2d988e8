// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A way to run the suite: what is under test, and against what. */
export interface Way {
  /** As the table has it. */
  readonly name: string;

  /** What the runner calls it. */
  readonly mode: "client" | "server" | "both";

  /** The files in `config` that begin with this say what is supported, and which cases are excluded and why. */
  readonly config: string;

  /** What the programs under test speak. */
  readonly protocol: "drpc" | "grpc" | "connect";

  /** The files of the suites that are run, without their mode. Defaults to all suites that are meant for the mode. */
  readonly suites?: readonly string[];
}

/** Those of the suites for clients alone and for servers alone that speak of no wire. */
const suitesOfOneSide = ["client_cancellation.yaml", "server_empty.yaml", "server_message_size.yaml"];

/** All ways in which the suite is run. */
export const ways: readonly Way[] = [
  { name: "DRPC, client and server", mode: "both", config: "drpc", protocol: "drpc" },
  {
    name: "DRPC, suites for clients or servers alone",
    mode: "both",
    config: "drpc",
    protocol: "drpc",
    suites: suitesOfOneSide,
  },
  { name: "gRPC, server through `@ts-drpc/grpc`", mode: "server", config: "grpc-server", protocol: "grpc" },
  {
    name: "Connect, gRPC and gRPC-Web, server through `@ts-drpc/connect`",
    mode: "server",
    config: "connect-server",
    protocol: "connect",
  },
  { name: "gRPC, client through `@ts-drpc/grpc`", mode: "client", config: "grpc-client", protocol: "grpc" },
];
