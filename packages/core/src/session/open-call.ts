// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { encodeMetadataPayload, type MetadataEntries } from "../wire/metadata-payload.js";
import type { SessionLimits } from "./session-options.js";

/** A call that a client opens. */
export interface OpenCall {
  readonly path: string;
  readonly pathBytes: Uint8Array;
  readonly metadata: MetadataEntries;

  /** True if it may send more than one message. Defaults to false. */
  readonly streamsRequests?: boolean;
}

/**
 * Encodes the metadata of a call, with one more entry if there is one, or returns undefined if there is none at all.
 * Throws a DrpcError if it is too large.
 */
export function encodeOpeningMetadata(
  call: OpenCall,
  more: readonly [string, string] | undefined,
  { maxMetadataBytes, maxMetadataKeys }: SessionLimits,
): Uint8Array | undefined {
  const entries = more === undefined ? call.metadata : [...call.metadata, more];
  if (entries.length === 0) {
    return undefined;
  }
  if (entries.length > maxMetadataKeys) {
    throw new DrpcError(
      `${call.path}: metadata of ${entries.length} entries was not sent, the limit maxMetadataKeys is ${maxMetadataKeys}: raise it on both sides, or send fewer`,
      Code.ResourceExhausted,
      { notStarted: true },
    );
  }
  const metadata = encodeMetadataPayload(entries);
  if (metadata.length > maxMetadataBytes) {
    throw new DrpcError(
      `${call.path}: metadata of ${metadata.length} bytes was not sent, the limit maxMetadataBytes is ${maxMetadataBytes}: raise it on both sides, or send less`,
      Code.ResourceExhausted,
      { notStarted: true },
    );
  }
  return metadata;
}
