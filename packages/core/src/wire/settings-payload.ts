// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ProtocolError } from "./protocol-error.js";
import { encodeVarint, VarintCursor, varintSize } from "./varint.js";

/** What a ts-drpc peer says of itself (docs/protocol.md#settings). */
export interface Settings {
  /** The version of the extensions. This is version 1. */
  readonly version: number;

  /** How much a stream may have in flight towards this peer when it begins. */
  readonly windowBytes: number;

  /** The largest message that this peer takes. */
  readonly maxMessageBytes: number;

  /** How many streams the other side may have open at once. 0 for a side that serves none. */
  readonly maxConcurrentStreams: number;

  /** How much all streams together may have in flight towards this peer. 0 for no such limit. */
  readonly connectionWindowBytes: number;

  /** Which compressions this side takes in calls that it serves, as a set of bits: 1 is snappy, 2 is minlz-fastest. */
  readonly compressions: number;
}

/** The version of the extensions that this implementation speaks. */
export const settingsVersion = 1;

const fields = [
  "version",
  "windowBytes",
  "maxMessageBytes",
  "maxConcurrentStreams",
  "connectionWindowBytes",
  "compressions",
] as const;

/** Encodes settings as a protobuf message of varints, fields 1 to 6. */
export function encodeSettings(settings: Settings): Uint8Array {
  const body = new Uint8Array(fields.reduce((sum, name) => sum + 1 + varintSize(settings[name]), 0));
  let at = 0;
  for (const [index, name] of fields.entries()) {
    body[at++] = (index + 1) << 3;
    at = encodeVarint(settings[name], body, at);
  }
  return body;
}

/**
 * Decodes settings. Varint fields that a later version added are skipped, and
 * missing ones are 0. Throws a {@link ProtocolError} on anything else.
 */
export function decodeSettings(body: Uint8Array): Settings {
  const settings = {
    version: 0,
    windowBytes: 0,
    maxMessageBytes: 0,
    maxConcurrentStreams: 0,
    connectionWindowBytes: 0,
    compressions: 0,
  };
  const varint = new VarintCursor();
  let at = 0;
  while (at < body.length) {
    at = varint.read(body, at, body.length);
    const tag = varint.value;
    at = at < 0 ? -1 : varint.read(body, at, body.length);
    if (at < 0 || tag < 8 || tag % 8 !== 0) {
      throw new ProtocolError("the peer's settings are malformed");
    }
    const name = fields[tag / 8 - 1];
    if (name !== undefined) {
      settings[name] = Math.min(varint.value, Number.MAX_SAFE_INTEGER);
    }
  }
  return settings;
}
