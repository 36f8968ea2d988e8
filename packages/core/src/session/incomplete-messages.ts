// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { Stream } from "./stream.js";

/** Ends the streams on which something that the peer must send has been incomplete since before this tick. */
export function endIncompleteMessages(streams: readonly Stream[], beforeTick: number, messageTimeoutMs: number): void {
  for (const stream of streams) {
    if (stream.incompleteSince > 0 && stream.incompleteSince < beforeTick) {
      const text = `${stream.path}: a message was not complete within messageTimeoutMs, ${messageTimeoutMs} ms`;
      stream.fail(new DrpcError(text, Code.DeadlineExceeded));
    }
  }
}
