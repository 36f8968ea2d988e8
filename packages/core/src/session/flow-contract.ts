// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { maxFrameDataBytes } from "../wire/frame-header.js";
import { grantThreshold, messageOverheadBytes } from "./flow-control.js";
import type { FlowControlOptions, SessionLimits } from "./session-options.js";

/**
 * FlowContract is what the two ends of a connection have to agree on for credit to
 * work. There are two: that of ts-drpc peers, which tell each other by
 * their settings, and that of CockroachDB's fork, which both ends must be
 * configured for (docs/protocol.md#flow-control).
 */
export interface FlowContract {
  /** What a message costs besides its bytes. */
  readonly overheadBytes: number;

  /** How much a stream may have in flight towards this side when it begins. */
  readonly initialWindowBytes: number;

  /** How large a window may become when its reader keeps up. */
  readonly maxWindowBytes: number;

  /** By how much the windows of all streams together may be larger than they began. */
  readonly growthBytes: number;

  /** How much all streams together may have in flight towards this side. Undefined if only streams have windows. */
  readonly connectionWindowBytes: number | undefined;

  /** How much must have been consumed before it is granted back. */
  grantThreshold(windowBytes: number): number;
}

/**
 * Returns the contract of ts-drpc peers.
 *
 * What is let in by the connection's credit leaves room for a message of the largest
 * size, which may be lent, and for a packet of metadata. A third of the window
 * is shared evenly; as a message may begin with half of its credit, a stream
 * that is not read holds up to half more. A quarter goes to streams whose
 * reader keeps up. So small messages find room beside streams that nobody reads,
 * even if there are as many of those as there may be.
 */
export function tsDrpcContract(limits: SessionLimits): FlowContract {
  const { maxBufferedBytes, maxMessageBytes } = limits;
  const sharedBytes = maxBufferedBytes - maxMessageBytes;
  // What costs no credit needs room too, and a peer sends one packet of it after the other.
  const packetBytes = Math.min(Math.max(limits.maxMetadataBytes, maxFrameDataBytes), sharedBytes >> 2);
  const evenBytes = Math.max(minWindowBytes, Math.floor(sharedBytes / 3 / limits.maxConcurrentStreams));
  return {
    overheadBytes: messageOverheadBytes,
    initialWindowBytes: Math.min(limits.windowBytes, evenBytes),
    maxWindowBytes: limits.windowBytes,
    growthBytes: Math.floor(sharedBytes / 4),
    connectionWindowBytes: Math.max(1, sharedBytes - messageOverheadBytes - packetBytes),
    grantThreshold,
  };
}

/** Returns the contract of the fork. */
export function forkContract({ windowBytes, grantThresholdBytes }: FlowControlOptions): FlowContract {
  return {
    overheadBytes: 0,
    initialWindowBytes: windowBytes,
    maxWindowBytes: windowBytes,
    growthBytes: 0,
    connectionWindowBytes: undefined,
    grantThreshold: () => grantThresholdBytes,
  };
}

// Less would make every message wait for a grant.
const minWindowBytes = 4_096;
