// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Field } from "./harness/field.js";
import type { VictimOptions } from "./harness/victim-process.js";

/** One way to harm a server, or a client, and what must hold while it is tried. */
export interface AttackCase {
  /** A short name, in kebab case. */
  readonly name: string;

  /** The number of the attack in the list of docs/reliability.md. */
  readonly attack: number;

  /** What is done, for the table. */
  readonly what: string;

  /** The most memory that the attacked process may take, in MiB. Defaults to {@link defaultBound}. */
  readonly bound?: MemoryBound;

  /** How the attacked server is set up. Defaults to the defaults. */
  readonly victim?: VictimOptions;

  /** How many files the attacked process may have open. */
  readonly maxOpenFiles?: number;

  /** True if it makes sense against any DRPC server, of which only the address is known. Defaults to false. */
  readonly anyServer?: boolean;

  /** Says why it cannot be run on this machine, or returns undefined if it can. Left out, it can be run anywhere. */
  readonly missing?: () => string | undefined;

  /**
   * Attacks. Resolves with what was seen, for the table, and throws an
   * AssertionError that says what does not hold.
   */
  readonly run: (field: Field) => Promise<string>;
}

/** The most memory that a process may take, in MiB. */
export interface MemoryBound {
  /** The heap of JavaScript, with the buffers that it holds. */
  readonly heapMiB: number;

  /** All that is resident, with Node itself, which takes about 100. */
  readonly rssMiB: number;
}

/** What one connection may buffer, 16 MiB, and much space for what nobody has collected yet. */
export const defaultBound: MemoryBound = { heapMiB: 128, rssMiB: 288 };
