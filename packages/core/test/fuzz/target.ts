// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Something that reads bytes of a peer, and what must hold whatever they are. */
export interface FuzzTarget {
  readonly name: string;

  /** Inputs to begin with. */
  readonly seeds: () => readonly Uint8Array[];

  /** Reads an input. Throws, or rejects, if something does not hold. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}
