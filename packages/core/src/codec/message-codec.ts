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
import { isCovered } from "./coverage.js";
import { Decoder } from "./decoder.js";
import { Encoder } from "./encoder.js";
import { messageFactory } from "./message-factory.js";
import { messageReader } from "./message-reader.js";
import { messageWriter } from "./message-writer.js";

/** Turns messages of one type into bytes and back. */
export interface MessageCodec<Desc extends DescMessage = DescMessage> {
  /**
   * Returns the bytes of a message, or of what one can be created from. Throws
   * if it does not fit the type.
   *
   * The bytes are not written to again, but may be a part of a larger buffer,
   * which lives as long as they do.
   */
  encode(message: MessageInitShape<Desc>): Uint8Array;

  /**
   * Returns the bytes of a message, as `encode` does, for whoever is through
   * with them before anything else is encoded. Those that are less than a
   * quarter of their buffer are overwritten by the next message. So whoever
   * keeps them takes what `owned` makes of them (wire/owned.ts).
   */
  encodeBorrowed(message: MessageInitShape<Desc>): Uint8Array;

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
    codec = isCovered(desc) ? specialisedCodec(desc) : genericCodec(desc);
    codecs.set(desc, codec);
  }
  return codec as MessageCodec<Desc>;
}

// Getters of a message may encode another: that takes an encoder of its own.
let idleEncoder: Encoder | undefined;

// Four times as large as the largest message that goes into it.
const borrowedSlabBytes = 65_536;
let idleBorrowed: Encoder | undefined;

function specialisedCodec(desc: DescMessage): MessageCodec {
  const write = messageWriter(desc);
  const reader = messageReader(desc);
  const createMessage = messageFactory(desc);
  return {
    encode: (message) => {
      const encoder = idleEncoder ?? new Encoder();
      idleEncoder = undefined;
      try {
        encoder.begin();
        write(encoder, message ?? {}, false);
        return encoder.finish();
      } finally {
        idleEncoder = encoder;
      }
    },
    encodeBorrowed: (message) => {
      const encoder = idleBorrowed ?? new Encoder(borrowedSlabBytes);
      idleBorrowed = undefined;
      try {
        encoder.begin();
        write(encoder, message ?? {}, false);
        return encoder.borrow();
      } finally {
        idleBorrowed = encoder;
      }
    },
    decode: (bytes) => {
      const message = createMessage();
      reader.read(new Decoder(bytes), message, bytes.length);
      return message as unknown as MessageShape<DescMessage>;
    },
  };
}

function genericCodec(desc: DescMessage): MessageCodec {
  const encode: MessageCodec["encode"] = (message) => toBinary(desc, create(desc, message));
  return {
    encode,
    encodeBorrowed: encode,
    decode: (bytes) => fromBinary(desc, bytes),
  };
}
