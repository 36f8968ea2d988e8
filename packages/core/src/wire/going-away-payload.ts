// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { decodeErrorPayload, type ErrorPayload, encodeErrorPayload } from "./error-payload.js";
import { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "./varint.js";

/** What a peer says that takes no more calls (docs/protocol.md#goingaway). */
export interface GoingAway {
  /** The highest id of a stream that it serves. Calls on later ones were never started. */
  readonly lastStreamId: number;

  /** Why it goes. */
  readonly error: ErrorPayload;
}

/** Encodes the body of a GoingAway frame. */
export function encodeGoingAway({ lastStreamId, error }: GoingAway): Uint8Array {
  const errorBody = encodeErrorPayload(error);
  const errorAt = varintSize(lastStreamId);
  const body = new Uint8Array(errorAt + errorBody.length);
  encodeVarint(lastStreamId, body, 0);
  body.set(errorBody, errorAt);
  return body;
}

/** Decodes the body of a GoingAway frame. Returns undefined if it names no stream: such a frame is to be ignored. */
export function decodeGoingAway(body: Uint8Array): GoingAway | undefined {
  // A varint that is too long would make the cursor throw.
  const lastByteAt = body.findIndex((byte) => byte < 0x80);
  if (lastByteAt < 0 || lastByteAt >= maxVarintBytes) {
    return undefined;
  }
  const varint = new VarintCursor();
  const errorAt = varint.read(body, 0, body.length);
  const lastStreamId = Math.min(varint.value, Number.MAX_SAFE_INTEGER);
  return { lastStreamId, error: decodeErrorPayload(body.subarray(errorAt)) };
}
