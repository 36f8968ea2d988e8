// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection } from "../vocabulary/connection.js";
import { firstByte, maxFrameDataBytes } from "../wire/frame-header.js";
import { isControlKind, Kind } from "../wire/kind.js";
import { owned } from "../wire/owned.js";
import { WriteBuffer } from "../wire/write-buffer.js";
import { TurnQueue } from "./turn-queue.js";

/** A message that waits for its turn, whole or in part. */
interface WaitingMessage {
  readonly streamId: number;
  readonly messageId: number;
  readonly body: Uint8Array;
  sent: number;
  readonly accepted: () => void;
  readonly refused: (reason: Error) => void;
}

// Measured: with this many a peer begins to work before this side has got through its turn, which nearly doubles what two
// processes get done together; with fewer, what the writes cost shows.
const firstWriteMessages = 32;

// How many microtasks a sender may take from hearing that its message was accepted to sending the next: awaits in an async
// generator, and in what pulls it.
const returnMicrotasks = 16;

const nothing = { messages: 0, bytes: 0 };
const messageFirstByte = firstByte(Kind.Message, false, false);
const lastMessageFirstByte = firstByte(Kind.Message, true, false);

/**
 * Writes the frames of all streams to the connection.
 *
 * Frames are gathered in one buffer and go out at the end of a turn, in as few
 * writes as can be; while the connection is busy the rest gathers. In a turn
 * with many messages those before the 32nd go out ahead, so that the peer can
 * begin, then twice as many each time. Messages are let
 * into the buffer until it holds `maxUnsentBytes`. From there on they wait,
 * and streams take turns by bytes, in frames of up to 64 KiB, so that a large message does
 * not hold up a small one. All other packets are let in at once.
 */
export class WriteScheduler {
  readonly #connection: Connection;
  readonly #endOfTurn: (callback: () => void) => void;
  readonly #maxUnsentBytes: number;
  readonly #buffer = new WriteBuffer();
  readonly #waiting = new TurnQueue<WaitingMessage>();
  #writable = true;
  #flushing = false;
  #writes = 0;
  #gathered = 0;
  #writeMessages = firstWriteMessages;
  #heldTurn = Number.POSITIVE_INFINITY;
  #holding = false;
  #holdTurns = 0;
  #ended: Error | undefined;

  constructor(connection: Connection, maxUnsentBytes: number) {
    this.#connection = connection;
    this.#endOfTurn = connection.endOfTurn?.bind(connection) ?? queueMicrotask;
    this.#maxUnsentBytes = maxUnsentBytes;
  }

  /** Counts up whenever the connection has become able to take more. */
  progress = 0;

  /** How many bytes the connection has not taken yet. */
  get unsentBytes(): number {
    return this.#buffer.bytes;
  }

  /** How many times something was handed over to the connection. What was let in since then certainly did not reach the peer. */
  get writes(): number {
    return this.#writes;
  }

  /** True while there is nothing to send, not even the rest of a message. */
  get idle(): boolean {
    return this.#writable && this.#buffer.bytes === 0 && this.#waiting.size === 0;
  }

  /** True while the connection takes nothing: it will say when it does again. */
  get busy(): boolean {
    return !this.#writable;
  }

  /**
   * Tells whether the connection takes nothing while far too much waits. Messages wait for room before, so that this
   * is packets which nobody waits for, such as answers to calls that were refused.
   */
  overfull(): boolean {
    if (this.#buffer.bytes <= 2 * this.#maxUnsentBytes) {
      return false;
    }
    this.flush();
    return !this.#writable;
  }

  /** Sends a packet that must not wait. */
  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void {
    if (this.#ended !== undefined) {
      return;
    }
    const control = isControlKind(kind);
    let at = 0;
    // Metadata can be larger than a frame; an Error is cut to less before.
    for (; body.length - at > maxFrameDataBytes; at += maxFrameDataBytes) {
      this.#buffer.append(firstByte(kind, false, control), streamId, messageId, body, at, at + maxFrameDataBytes);
    }
    this.#buffer.append(firstByte(kind, true, control), streamId, messageId, body, at, body.length);
    this.#flushSoon();
  }

  /** Sends a message. Returns undefined if it was accepted at once, or a promise that settles when it was. */
  sendMessage(streamId: number, messageId: number, body: Uint8Array): Promise<void> | undefined {
    if (this.#ended !== undefined) {
      return Promise.reject(this.#ended);
    }
    let bytes = body;
    if (++this.#gathered > this.#writeMessages) {
      // A connection that delivers at once may bring about that another message is encoded where this one is.
      bytes = owned(body);
      // What belongs to the message before, such as the end of its stream, is behind it by now.
      this.#writeMessages *= 2;
      this.#write();
      this.#gathered = 1;
    }
    const roomy = this.#waiting.size === 0 && this.#buffer.bytes < this.#maxUnsentBytes;
    if (roomy && bytes.length <= maxFrameDataBytes) {
      this.#buffer.append(lastMessageFirstByte, streamId, messageId, bytes, 0, bytes.length);
      this.#flushSoon();
      return undefined;
    }
    return this.#sendLater(streamId, messageId, bytes);
  }

  // A function of its own: one that holds closures allocates for them also when it does not come to that.
  #sendLater(streamId: number, messageId: number, body: Uint8Array): Promise<void> {
    return new Promise((accepted, refused) => {
      this.#wait({ streamId, messageId, body: owned(body), sent: 0, accepted, refused });
      this.#admit();
    });
  }

  /**
   * Drops what a stream has waiting, rejects its promise, and returns how many
   * messages and bytes were not sent. A stream that
   * ended well has something waiting too, if the peer did not want to hear all,
   * and what is left of a message must not follow the end of its stream.
   */
  drop(streamId: number, reason: Error | undefined): { readonly messages: number; readonly bytes: number } {
    if (this.#waiting.size === 0) {
      return nothing;
    }
    const dropped = this.#waiting.drop(streamId);
    for (const message of dropped) {
      message.refused(reason ?? new Error("the stream has ended"));
    }
    return {
      messages: dropped.length,
      bytes: dropped.reduce((sum, { body, sent }) => sum + body.length - sent, 0),
    };
  }

  /** The connection takes bytes again. */
  writable(): void {
    this.#writable = true;
    this.progress++;
    this.flush();
  }

  /** Hands over all that was let in, even if the connection is busy, and takes nothing more. */
  finish(reason: Error): void {
    this.#writes++;
    for (let bytes = this.#buffer.take(); bytes !== undefined; bytes = this.#buffer.take()) {
      this.#connection.write(bytes);
    }
    this.end(reason);
  }

  /** The connection is gone: whatever waits is dropped, and nothing more is taken. */
  end(reason: Error): void {
    this.#ended = reason;
    this.#buffer.clear();
    for (const message of this.#waiting.clear()) {
      message.refused(reason);
    }
  }

  #wait(message: WaitingMessage): void {
    this.#waiting.push(message, Math.min(message.body.length - message.sent, maxFrameDataBytes));
  }

  #admit(): void {
    while (this.#waiting.size > 0 && this.#buffer.bytes < this.#maxUnsentBytes && this.#ended === undefined) {
      if (this.#waiting.nextTurn >= this.#heldTurn) {
        this.#hold();
        break;
      }
      const message = this.#waiting.shift() as WaitingMessage;
      const { body, sent } = message;
      const end = Math.min(sent + maxFrameDataBytes, body.length);
      const first = end === body.length ? lastMessageFirstByte : messageFirstByte;
      this.#buffer.append(first, message.streamId, message.messageId, body, sent, end);
      message.sent = end;
      if (end === body.length) {
        // Its stream may have another, which can come only when this was said. Those whose turn is behind that wait for it,
        // as there is time while the connection is busy: otherwise a stream with small messages would hardly get any turn.
        const others = this.#waiting.size > 0 && !this.#writable;
        this.#heldTurn = others ? this.#waiting.returnTurn : Number.POSITIVE_INFINITY;
        message.accepted();
      } else {
        this.#wait(message);
      }
    }
    if (this.#waiting.size === 0) {
      this.#waiting.restart();
    }
    this.#flushSoon();
  }

  /** Lets the others wait as long as a sender takes to come back. */
  #hold(): void {
    this.#holdTurns = returnMicrotasks;
    if (!this.#holding) {
      this.#holding = true;
      queueMicrotask(this.#release);
    }
  }

  readonly #release = (): void => {
    if (--this.#holdTurns > 0) {
      queueMicrotask(this.#release);
      return;
    }
    this.#holding = false;
    this.#heldTurn = Number.POSITIVE_INFINITY;
    this.#admit();
  };

  #flushSoon(): void {
    if (this.#flushing || !this.#writable) {
      return;
    }
    this.#flushing = true;
    this.#endOfTurn(this.#flushNow);
  }

  readonly #flushNow = (): void => {
    this.#flushing = false;
    this.flush();
  };

  /** Hands over what has gathered, if the connection takes it, without waiting for the end of the turn. */
  flush(): void {
    this.#writeMessages = firstWriteMessages;
    this.#write();
  }

  #write(): void {
    this.#gathered = 0;
    if (!this.#writable || this.#ended !== undefined) {
      return;
    }
    this.#writes++;
    for (let bytes = this.#buffer.take(); bytes !== undefined; bytes = this.#buffer.take()) {
      // All goes out in this turn, but one chunk that is too much suffices to wait: a small one behind it may not be.
      this.#writable = this.#connection.write(bytes) && this.#writable;
    }
    this.#heldTurn = Number.POSITIVE_INFINITY;
    if (this.#waiting.size > 0) {
      this.#admit();
    }
  }
}
