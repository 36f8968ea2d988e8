// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "./frame-reader.js";
import { kindName } from "./kind.js";
import { ProtocolError } from "./protocol-error.js";

const noBytes = new Uint8Array(0);

/** A packet grew above the receiver's limit. Only its stream has to end. */
export class PacketTooLargeError extends Error {
  readonly kind: number;
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(kind: number, bytes: number, maxBytes: number) {
    super(`a ${kindName(kind)} packet has at least ${bytes} bytes, above the limit of ${maxBytes}`);
    this.kind = kind;
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/**
 * Joins the frames of one stream into packets and checks the order of their
 * message ids (docs/protocol.md#packets).
 *
 * Each stream has one, so that frames of other streams may come between those
 * of a packet. A packet that lies whole in one chunk is handed out as a view
 * of that chunk; any other is copied together once its bytes have come, never
 * on the strength of a length that was only announced.
 */
export class PacketAssembler {
  #nextMessageId = 1;
  #assembling = false;
  #kind = 0;
  #body: Uint8Array = noBytes;
  #bytes = 0;

  /** How much memory the unfinished packet takes. */
  get heldBytes(): number {
    return this.#body.length;
  }

  /**
   * Takes the fragment that the reader stands at. Returns the body of the
   * packet that it completes, and undefined if it completes none.
   *
   * Throws a {@link ProtocolError} if the ids or kinds are out of order, and a
   * {@link PacketTooLargeError} as soon as a header announces more than
   * `maxBytes`.
   */
  accept(fragment: FrameReader, maxBytes: number): Uint8Array | undefined {
    if (fragment.first) {
      this.#beginFrame(fragment, maxBytes);
    } else if (!this.#assembling) {
      // The rest of a frame that was refused, here or by whoever had the stream before.
      return undefined;
    }
    const complete = fragment.done && fragment.last;
    if (complete && this.#bytes === 0) {
      this.#finish(fragment.messageId);
      return fragment.chunk.subarray(fragment.start, fragment.end);
    }
    this.#append(fragment, maxBytes);
    if (!complete) {
      return undefined;
    }
    const body = this.#body.subarray(0, this.#bytes);
    this.#finish(fragment.messageId);
    return body;
  }

  #beginFrame(frame: FrameReader, maxBytes: number): void {
    if (frame.messageId < this.#nextMessageId) {
      const latest = this.#assembling ? this.#nextMessageId : this.#nextMessageId - 1;
      throw new ProtocolError(
        `stream ${frame.streamId}: message id ${frame.messageId} came after ${latest || "none"}, ids never go back`,
      );
    }
    if (!this.#assembling || frame.messageId > this.#nextMessageId) {
      this.#discard();
      this.#assembling = true;
      this.#kind = frame.kind;
      this.#nextMessageId = frame.messageId;
    } else if (frame.kind !== this.#kind) {
      throw new ProtocolError(
        `stream ${frame.streamId}: a ${kindName(this.#kind)} packet went on as ${kindName(frame.kind)} under the same message id`,
      );
    }
    const bytes = this.#bytes + frame.frameBytes;
    if (bytes > maxBytes) {
      this.#assembling = false;
      throw new PacketTooLargeError(frame.kind, bytes, maxBytes);
    }
  }

  #append(fragment: FrameReader, maxBytes: number): void {
    const bytes = this.#bytes + fragment.end - fragment.start;
    if (bytes > this.#body.length) {
      // Doubling keeps the copies of a large packet linear, and what is held below twice of what has come and below the limit.
      const grown = new Uint8Array(Math.max(bytes, Math.min(2 * this.#bytes, maxBytes)));
      grown.set(this.#body.subarray(0, this.#bytes));
      this.#body = grown;
    }
    this.#body.set(fragment.chunk.subarray(fragment.start, fragment.end), this.#bytes);
    this.#bytes = bytes;
  }

  #finish(messageId: number): void {
    this.#nextMessageId = messageId + 1;
    this.#discard();
  }

  #discard(): void {
    this.#assembling = false;
    this.#body = noBytes;
    this.#bytes = 0;
  }
}
