// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Deadline } from "./deadline.js";

/** Is told that a call has been ended. */
export interface Watcher {
  aborted(): void;
}

/** Ends calls as an AbortSignal does, but is none, as those are dear. */
export interface EndingSignal {
  readonly aborted: boolean;
  readonly reason: unknown;

  /** The deadline that it sees to, so that nobody else has to. */
  readonly deadline: Deadline | undefined;

  watch(watcher: Watcher): void;
  unwatch(watcher: Watcher): void;
}

/** Tells an EndingSignal from an AbortSignal. */
export function isEndingSignal(signal: AbortSignal | EndingSignal): signal is EndingSignal {
  return "watch" in signal;
}
