// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageCodec } from "../codec/message-codec.js";
import { checkMessageSize } from "../session/message-size.js";
import type { Session } from "../session/session.js";
import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import type { Settings } from "../wire/settings-payload.js";
import { compressionBit } from "./compression-set.js";
import type { Method } from "./method.js";

/** The metadata key under which a client says how the messages of a call are compressed. */
export const compressionKey = "drpc-compression";

/** What a client compresses its calls with. */
export interface CompressionOffer {
  readonly compression: MessageCompression;

  /** True if every peer is taken to know it; otherwise only those are that say so in their settings. */
  readonly assumed: boolean;
}

/** Returns what a client compresses a call with, towards a peer that said this of itself. */
export function acceptedOffer(
  offer: CompressionOffer | undefined,
  peer: Settings | undefined,
): MessageCompression | undefined {
  if (offer === undefined) {
    return undefined;
  }
  const { compression, assumed } = offer;
  return assumed || ((peer?.compressions ?? 0) & compressionBit(compression)) !== 0 ? compression : undefined;
}

/** How large a message may be: for this side, and for both. */
type MessageLimits = Pick<Session, "limits" | "maxSendBytes">;

/**
 * CallCompression compresses and decompresses the messages of one call, in
 * both directions. The limits hold for messages as they are without it; the
 * session applies them to what is on the wire.
 */
export class CallCompression {
  readonly #path: string;
  readonly #compression: MessageCompression;
  readonly #session: MessageLimits;

  constructor(path: string, compression: MessageCompression, session: MessageLimits) {
    this.#path = path;
    this.#compression = compression;
    this.#session = session;
  }

  get name(): string {
    return this.#compression.name;
  }

  /** Returns the method with codecs that compress. */
  method(method: Method): Method {
    return { ...method, input: this.#codec(method.input), output: this.#codec(method.output) };
  }

  /**
   * Returns the body that a message is sent as. Throws a DrpcError if the
   * message is larger than either side takes, and what the compression throws.
   */
  compress(message: Uint8Array): Uint8Array {
    const { maxSendBytes, limits } = this.#session;
    checkMessageSize(this.#path, message.length, maxSendBytes, limits);
    return this.#compression.compress(message);
  }

  /** Returns the message that a body holds. Throws a DrpcError if that is too large, or if it holds none. */
  decompress(body: Uint8Array): Uint8Array {
    try {
      return this.#compression.decompress(body, this.#session.limits.maxMessageBytes);
    } catch (reason) {
      const { code, rawMessage } = DrpcError.from(reason, Code.Internal);
      throw new DrpcError(
        `${this.#path}: a message could not be decompressed with ${this.name}: ${rawMessage}`,
        code === Code.ResourceExhausted ? code : Code.Internal,
        { cause: reason },
      );
    }
  }

  #codec(codec: MessageCodec): MessageCodec {
    const encode: MessageCodec["encode"] = (message) => this.compress(codec.encode(message));
    return {
      encode,
      // A compression may return what it was given, or keep it.
      encodeBorrowed: encode,
      decode: (body) => codec.decode(this.decompress(body)),
    };
  }
}
