// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "./frame-reader.js";
import { kindName } from "./kind.js";
import { ProtocolError } from "./protocol-error.js";

const noBytes = new Uint8Array(0);
// Shared by all streams, most of which never hold anything.
const noBlocks: Uint8Array[] = [];

// Of small fragments several share a block, so that bytes that come one at a time do not take an array each.
const sharedBlockBytes = 4_096;

// A fragment that is at least this much of its chunk is kept as a view of it. Smaller ones would keep much that is not theirs.
const keptShare = 0.75;

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
 * of that chunk; any other is held as it comes, never on the strength of a
 * length that was only announced, and joined when it is complete. Of what is
 * held, small fragments are copied, and those that fill their chunk are not.
 */
export class PacketAssembler {
  #nextMessageId = 1;
  #assembling = false;
  #kind = 0;

  // All but the last are full. Nothing is held twice before the packet is complete: a peer may send as much as
  // is held at most, on all of its streams together, so more must not be held than it sent.
  #blocks: Uint8Array[] = noBlocks;
  #lastBlockBytes = 0;
  #bytes = 0;

  /** How many bytes are held of the unfinished packet. They take at most a third, and 4 KiB, more. */
  get heldBytes(): number {
    return this.#bytes;
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
      return fragment.start === fragment.end ? noBytes : fragment.chunk.subarray(fragment.start, fragment.end);
    }
    if (!complete) {
      this.#append(fragment);
      return undefined;
    }
    const body = this.#join(fragment);
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

  #append({ chunk, start, end }: FrameReader): void {
    const last = this.#blocks.at(-1);
    let at = start;
    if (last !== undefined && this.#lastBlockBytes < last.length) {
      at = Math.min(end, start + last.length - this.#lastBlockBytes);
      last.set(chunk.subarray(start, at), this.#lastBlockBytes);
      this.#lastBlockBytes += at - start;
    }
    if (at < end) {
      const block = this.#newBlock(chunk.subarray(at, end));
      if (this.#blocks === noBlocks) {
        this.#blocks = [block];
      } else {
        this.#blocks.push(block);
      }
      this.#lastBlockBytes = end - at;
    }
    this.#bytes += end - start;
  }

  #newBlock(data: Uint8Array): Uint8Array {
    if (data.length >= sharedBlockBytes && data.length >= keptShare * data.buffer.byteLength) {
      return data;
    }
    const block = new Uint8Array(Math.max(data.length, Math.min(this.#bytes, sharedBlockBytes)));
    block.set(data);
    return block;
  }

  #join({ chunk, start, end }: FrameReader): Uint8Array {
    const body = new Uint8Array(this.#bytes + end - start);
    let at = 0;
    for (const block of this.#blocks) {
      // Only the last may have room left.
      const part = at + block.length > this.#bytes ? block.subarray(0, this.#lastBlockBytes) : block;
      body.set(part, at);
      at += part.length;
    }
    body.set(chunk.subarray(start, end), at);
    return body;
  }

  #finish(messageId: number): void {
    this.#nextMessageId = messageId + 1;
    this.#discard();
  }

  #discard(): void {
    this.#assembling = false;
    if (this.#bytes > 0) {
      this.#blocks = noBlocks;
      this.#lastBlockBytes = 0;
      this.#bytes = 0;
    }
  }
}
