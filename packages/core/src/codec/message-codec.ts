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

/** Turns messages of one type into bytes and back. */
export interface MessageCodec<Desc extends DescMessage = DescMessage> {
  /** Returns the bytes of a message, or of what one can be created from. Throws if it does not fit the type. */
  encode(message: MessageInitShape<Desc>): Uint8Array;

  /**
   * Returns the message that the bytes hold. Throws if they hold none.
   *
   * Fields of type `bytes` are views of the given array, not copies.
   */
  decode(bytes: Uint8Array): MessageShape<Desc>;
}

const codecs = new WeakMap<DescMessage, MessageCodec>();

/** Returns the codec of a message type. */
export function messageCodec<Desc extends DescMessage>(desc: Desc): MessageCodec<Desc> {
  let codec = codecs.get(desc);
  if (codec === undefined) {
    codec = {
      encode: (message) => toBinary(desc, create(desc, message as MessageInitShape<Desc>)),
      decode: (bytes) => fromBinary(desc, bytes),
    };
    codecs.set(desc, codec);
  }
  return codec as MessageCodec<Desc>;
}
