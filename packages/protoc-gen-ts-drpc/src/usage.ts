// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** What the program prints for `--help`, and when a person starts it in a terminal. */
export const usage: string = `protoc-gen-ts-drpc is a plugin for protoc and buf. They start it and talk to it on
standard input and output, so there is nothing to type here.

With buf, list it in buf.gen.yaml beside protoc-gen-es and run "buf generate":

  version: v2
  plugins:
    - local: protoc-gen-es
      out: src/gen
      opt: target=ts
    - local: protoc-gen-ts-drpc
      out: src/gen
      opt: target=ts

With protoc:

  protoc -I proto --es_out=src/gen --es_opt=target=ts \\
    --ts-drpc_out=src/gen --ts-drpc_opt=target=ts proto/echo.proto

The option generate_adapters=true, or the argument --generate-adapters, also writes
adapters for gRPC: local: [protoc-gen-ts-drpc, --generate-adapters].
`;

/**
 * Tells whether the program was started by a person rather than by protoc, and what to print then.
 * Returns undefined if it has a request to read. The program ends after printing.
 */
export function usageFor(args: readonly string[], inputIsTerminal: boolean): "asked" | "mistaken" | undefined {
  if (args.some((arg) => arg === "--help" || arg === "-h")) return "asked";
  if (args.length === 0 && inputIsTerminal) return "mistaken";
  return undefined;
}
