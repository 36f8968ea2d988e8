// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";

/** How large a message may be: for this side, and for both. */
export interface MessageLimits {
  readonly maxMessageBytes: number;
  readonly maxSendBytes: number;
}

/** Throws a DrpcError if a message is larger than either side takes. */
export function checkMessageSize(path: string, bytes: number, limits: MessageLimits): void {
  if (bytes > limits.maxSendBytes) {
    const whose = limits.maxSendBytes === limits.maxMessageBytes ? "the limit" : "the peer's limit";
    throw new DrpcError(
      `${path}: a message of ${bytes} bytes was not sent, ${whose} maxMessageBytes is ${limits.maxSendBytes}`,
      Code.ResourceExhausted,
    );
  }
}
