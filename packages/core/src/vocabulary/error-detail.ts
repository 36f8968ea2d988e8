// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

/** A detail that an error is made with: a message that says more about it, such as a google.rpc.RetryInfo. */
export interface OutgoingErrorDetail<Desc extends DescMessage = DescMessage> {
  readonly desc: Desc;
  readonly value: MessageInitShape<Desc>;
}

/** A detail as it came from a peer. */
export interface IncomingErrorDetail {
  /** The full name of the message, such as `google.rpc.RetryInfo`. */
  readonly type: string;

  /** The message, encoded. */
  readonly value: Uint8Array;
}

/** A detail of an error, wherever it comes from. */
export type ErrorDetail = OutgoingErrorDetail | IncomingErrorDetail;

/** Returns a detail as it travels. Throws what protobuf-es throws for a message that cannot be encoded. */
export function encodeErrorDetail(detail: ErrorDetail): IncomingErrorDetail {
  return "desc" in detail
    ? { type: detail.desc.typeName, value: toBinary(detail.desc, create(detail.desc, detail.value)) }
    : detail;
}

/** Returns the details of one type. Those that cannot be decoded are left out. */
export function findErrorDetails<Desc extends DescMessage>(
  details: readonly ErrorDetail[],
  desc: Desc,
): MessageShape<Desc>[] {
  const found: MessageShape<Desc>[] = [];
  for (const detail of details) {
    if (("desc" in detail ? detail.desc.typeName : detail.type) !== desc.typeName) {
      continue;
    }
    try {
      found.push(fromBinary(desc, encodeErrorDetail(detail).value));
    } catch {
      // A peer may send anything under the name of a type.
    }
  }
  return found;
}
