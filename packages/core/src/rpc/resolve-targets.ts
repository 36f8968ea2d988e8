// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { Target, TargetResolver } from "./target.js";
import { asNotStarted } from "./unreachable.js";

// A resolver may be a table of someone else's; it must not make a client connect to the whole world.
const maxTargets = 100;

/** Asks a resolver for its targets, each once. Rejects with a DrpcError if there are none. */
export async function resolveTargets(resolver: TargetResolver, signal: AbortSignal): Promise<readonly Target[]> {
  let targets: readonly Target[];
  try {
    targets = [...(await resolver.resolve(signal))];
  } catch (reason) {
    throw asNotStarted(DrpcError.from(reason, Code.Unavailable));
  }
  const byAddress = new Map<string, Target>();
  for (const target of targets) {
    if (byAddress.size < maxTargets && !byAddress.has(target.address)) {
      byAddress.set(target.address, target);
    }
  }
  if (byAddress.size === 0) {
    throw new DrpcError("cannot connect: there are no addresses", Code.Unavailable, { notStarted: true });
  }
  return [...byAddress.values()];
}
