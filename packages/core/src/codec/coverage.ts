// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage } from "@bufbuild/protobuf";
import { protoInt64 } from "@bufbuild/protobuf";

/**
 * Whether this codec does what protobuf-es does for messages of a type and for
 * all that can be in them.
 *
 * It does not where the name of a field is one that every object has, such as
 * `hasOwnProperty`, and where 64 bit integers are not bigints.
 */
export function isCovered(desc: DescMessage): boolean {
  if (!protoInt64.supported) {
    return false;
  }
  const seen = new Set([desc]);
  for (const { fields, oneofs } of seen) {
    if ([...fields, ...oneofs].some(({ localName }) => localName in Object.prototype)) {
      return false;
    }
    for (const { message } of fields) {
      if (message !== undefined) {
        seen.add(message);
      }
    }
  }
  return true;
}
