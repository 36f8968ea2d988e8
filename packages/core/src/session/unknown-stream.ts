// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "../wire/frame-reader.js";
import { isKnownKind, kindName } from "../wire/kind.js";
import { ProtocolError } from "../wire/protocol-error.js";

/**
 * Throws a ProtocolError if a fragment cannot be passed over although it is
 * for a stream that does not exist. What comes late for one that has ended can
 * (docs/protocol.md#the-life-of-a-stream).
 */
export function checkUnknownStream(fragment: FrameReader, role: "client" | "server", highestStreamId: number): void {
  const { kind, streamId, control } = fragment;
  if (control) {
    return;
  }
  if (streamId === 0) {
    throw new ProtocolError(`a ${kindName(kind)} packet came for stream 0, which is no stream`);
  }
  if (streamId <= highestStreamId) {
    return;
  }
  if (role === "client") {
    throw new ProtocolError(`a ${kindName(kind)} packet came for stream ${streamId}, which was never opened`);
  }
  if (!isKnownKind(kind)) {
    throw new ProtocolError(`stream ${streamId}: a packet of unknown ${kindName(kind)} came without the control flag`);
  }
}
