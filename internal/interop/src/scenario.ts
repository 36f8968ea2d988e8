// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { GoPeer } from "./go-program.js";
import type { Harness } from "./harness.js";

/** Something that two implementations do with each other. One of its functions is missing where it makes no sense. */
export interface Scenario {
  readonly name: string;

  /** The only Go peer that it makes sense with, if it does not with all. */
  readonly peer?: GoPeer;

  /** A client of ours calls a Go server. Resolves with a remark for the matrix, if there is one. */
  readonly calling?: (harness: Harness) => Promise<string | undefined> | Promise<void>;

  /** A Go client calls a server of ours. */
  readonly serving?: (harness: Harness) => Promise<string | undefined> | Promise<void>;
}
