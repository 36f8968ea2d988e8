// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { type ErrorFormat, encodeErrorPayload } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { Kind, kindName } from "../wire/kind.js";
import { PacketAssembler, PacketTooLargeError } from "../wire/packet-assembler.js";
import { ProtocolError } from "../wire/protocol-error.js";
import { grantThreshold, messageOverheadBytes, SendCredit } from "./flow-control.js";
import { checkMessageSize } from "./message-size.js";
import { peerError } from "./peer-error.js";
import { nextStreamState, StreamEvent, StreamState, sentKind, takesMessages } from "./stream-state.js";

const noBytes = new Uint8Array(0);

/**
 * Whether messages of this side may lie unread at a peer that no longer reads
 * them: `possible` if all was sent before the peer ended its side, `likely` if
 * not, or if this side gave up.
 */
export type Leftovers = "none" | "possible" | "likely";

/** What a stream tells the call that it carries. None of these may throw. */
export interface StreamReceiver {
  /** A message came. The receiver calls `stream.consume` with its length once it is done with it. */
  message(body: Uint8Array): void;

  /** No more messages come: the peer is done, or there is an error. Called once, behind all messages. */
  end(error: DrpcError | undefined): void;

  /**
   * Nothing is sent or received on this stream any more. The cause is missing
   * if both sides had said that they were done. Called once, after `end`.
   */
  terminated(cause: DrpcError | undefined): void;
}

/** What a stream needs of the session that it is on. */
export interface StreamHost {
  readonly role: "client" | "server";
  readonly maxMessageBytes: number;
  readonly maxMetadataBytes: number;

  /** How errors are sent. */
  readonly errorFormat: ErrorFormat;

  /** The largest message that both sides take. */
  readonly maxSendBytes: number;

  /** The peer's window for a stream, or undefined while it is not known to have one. */
  readonly peerWindowBytes: number | undefined;

  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void;
  sendMessage(streamId: number, messageId: number, body: Uint8Array): Promise<void> | undefined;
  /** More or less memory is held for the stream. */
  buffered(change: number): void;

  /** Something was stored for the stream, and perhaps nobody takes it. */
  checkLimits(stream: Stream): void;

  /** The receiver took a message. */
  consumed(stream: Stream): void;

  terminated(stream: Stream, cause: DrpcError | undefined): void;
}

/**
 * Stream is one RPC on a session, seen from either side.
 *
 * The session feeds it frames; the call that it carries sends through it, one
 * `send` after the other, and is told what comes by its {@link StreamReceiver}.
 */
export class Stream {
  readonly id: number;
  readonly path: string;

  readonly #host: StreamHost;
  readonly #receiver: StreamReceiver;
  readonly #assembler: PacketAssembler;
  readonly #streamsRequests: boolean;
  #state: StreamState = StreamState.Open;
  #cause: DrpcError | undefined;
  #receiving = true;
  #nextMessageId = 1;
  #credit: SendCredit;
  #creditArrived: (() => void) | undefined;
  #unreadCost = 0;
  #consumedCost = 0;
  #answered = false;
  #sentMessages = 0;
  #receivedMessages = 0;
  #leftovers: Leftovers = "none";

  constructor(
    id: number,
    path: string,
    host: StreamHost,
    createReceiver: (stream: Stream) => StreamReceiver,
    assembler: PacketAssembler = new PacketAssembler(),
    streamsRequests = false,
  ) {
    this.id = id;
    this.path = path;
    this.#host = host;
    this.#assembler = assembler;
    this.#streamsRequests = streamsRequests;
    this.#credit = new SendCredit(host.peerWindowBytes ?? 0);
    this.#receiver = createReceiver(this);
  }

  /** True once nothing can be sent or received any more. */
  get terminated(): boolean {
    return this.#state === StreamState.Terminated;
  }

  /** How many bytes wait here unread, with what each message costs besides. */
  get unreadCost(): number {
    return this.#unreadCost;
  }

  /** How much memory is held for this stream, an unfinished message included. */
  get heldBytes(): number {
    return this.#unreadCost + this.#assembler.heldBytes;
  }

  /** True once the peer has sent anything on this stream. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Whether messages of this side may lie unread at the peer, once the stream has ended. */
  get leftovers(): Leftovers {
    return this.#leftovers;
  }

  /** Takes the next message id of this side. */
  takeMessageId(): number {
    return this.#nextMessageId++;
  }

  /** Sends a packet of the invoke: its metadata, or its path. */
  sendInvoke(kind: typeof Kind.InvokeMetadata | typeof Kind.Invoke, body: Uint8Array): void {
    this.#host.sendPacket(kind, this.id, this.takeMessageId(), body);
  }

  /**
   * Sends a message. Returns undefined if it was accepted at once; otherwise a
   * promise that resolves when it was, and rejects if the stream ends first.
   *
   * Throws a DrpcError if it is too large or this side can send no more.
   */
  send(body: Uint8Array): Promise<void> | undefined {
    checkMessageSize(this.path, body.length, this.#host);
    if (sentKind(this.#state, StreamEvent.LocalMessage) === 0) {
      throw (
        this.#cause ?? new DrpcError(`${this.path}: this side has already said that it sends no more`, Code.Internal)
      );
    }
    const cost = body.length + messageOverheadBytes;
    if (this.#host.peerWindowBytes !== undefined && !this.#credit.covers(cost)) {
      return this.#waitForCredit().then(() => this.send(body));
    }
    this.#credit.spend(cost);
    this.#sentMessages++;
    return this.#host.sendMessage(this.id, this.takeMessageId(), body);
  }

  /** Says that this side sends no more messages. */
  closeSend(): void {
    this.#apply(StreamEvent.LocalCloseSend, noBytes, undefined);
  }

  /** Ends the stream: what the peer still sends is of no interest. */
  close(): void {
    this.#apply(StreamEvent.LocalClose, noBytes, undefined);
  }

  /** Ends the stream with an error for the peer. */
  sendError(error: DrpcError): void {
    // 2^64 wraps: a code that does not fit was made by the application, and any answer is better than none.
    const code = BigInt.asUintN(64, error.wireCode);
    const body = encodeErrorPayload({ code, text: error.rawMessage }, this.#host.errorFormat);
    this.#apply(StreamEvent.LocalError, body, error);
  }

  /** Ends the stream and tells the peer to stop. */
  cancel(reason: DrpcError): void {
    if (!this.terminated && this.#streamsRequests && this.#sentMessages > 0) {
      this.#leftovers = this.#receivedMessages < this.#sentMessages ? "likely" : "possible";
    }
    this.#apply(StreamEvent.LocalCancel, noBytes, reason);
  }

  /** Ends the stream because of something that the peer did on it: a server says so, a client cancels. */
  fail(error: DrpcError): void {
    if (this.#host.role === "server") {
      this.sendError(error);
    } else {
      this.cancel(error);
    }
  }

  /** The receiver is done with a message of this length. */
  consume(bytes: number): void {
    const cost = bytes + messageOverheadBytes;
    this.#unreadCost -= cost;
    this.#consumedCost += cost;
    if (!this.terminated) {
      this.#host.buffered(-cost);
      this.#host.consumed(this);
    }
  }

  /** Takes what is to be granted to the peer now: 0 until enough has been consumed to be worth a frame. */
  takeGrant(windowBytes: number): number {
    const consumed = this.#consumedCost;
    if (consumed < grantThreshold(windowBytes) || !takesMessages(this.#state)) {
      return 0;
    }
    this.#consumedCost = 0;
    return consumed;
  }

  /** The peer granted credit. */
  grant(bytes: number): void {
    this.#credit.grant(bytes);
    this.#wakeSender();
  }

  /** The peer turned out to have windows of this size. */
  peerWindow(windowBytes: number): void {
    this.#credit = this.#credit.resize(windowBytes);
  }

  /** The session is gone. */
  connectionEnd(reason: DrpcError): void {
    const error = new DrpcError(`${this.path}: ${reason.rawMessage}`, reason.code, { cause: reason });
    this.#enter(StreamEvent.ConnectionEnd, error, error);
  }

  /** Takes a fragment of a frame of this stream. Throws a ProtocolError if the connection cannot go on. */
  receive(fragment: FrameReader): void {
    this.#answered = true;
    const body = this.#assemble(fragment);
    if (body !== undefined && !this.terminated) {
      this.#packet(fragment, body);
    }
  }

  #assemble(fragment: FrameReader): Uint8Array | undefined {
    const held = this.#assembler.heldBytes;
    let body: Uint8Array | undefined;
    let tooLarge: PacketTooLargeError | undefined;
    try {
      body = this.#assembler.accept(fragment, this.#maxBytes(fragment.kind));
    } catch (reason) {
      if (!(reason instanceof PacketTooLargeError)) {
        throw reason;
      }
      tooLarge = reason;
    }
    // A packet that is refused may have dropped an unfinished one before it.
    if (this.#assembler.heldBytes !== held) {
      this.#host.buffered(this.#assembler.heldBytes - held);
      this.#host.checkLimits(this);
    }
    if (tooLarge !== undefined) {
      const { kind, bytes, maxBytes } = tooLarge;
      const option = kind === Kind.Message || kind === Kind.Error ? "maxMessageBytes" : "maxMetadataBytes";
      this.fail(
        new DrpcError(
          `${this.path}: the peer sent a ${kindName(kind)} of at least ${bytes} bytes, the limit ${option} is ${maxBytes}`,
          Code.ResourceExhausted,
        ),
      );
    }
    return body;
  }

  #maxBytes(kind: number): number {
    return kind === Kind.Message || kind === Kind.Error ? this.#host.maxMessageBytes : this.#host.maxMetadataBytes;
  }

  #packet({ kind, control }: FrameReader, body: Uint8Array): void {
    switch (kind) {
      case Kind.Message:
        if (takesMessages(this.#state)) {
          const cost = body.length + messageOverheadBytes;
          this.#unreadCost += cost;
          this.#receivedMessages++;
          this.#host.buffered(cost);
          this.#receiver.message(body);
          if (this.#unreadCost > 0 && !this.terminated) {
            this.#host.checkLimits(this);
          }
        }
        return;
      case Kind.CloseSend:
        this.#leftovers = this.#leftoversAtEnd();
        this.#enter(StreamEvent.RemoteCloseSend, undefined, undefined);
        return;
      case Kind.Close: {
        const cause = new DrpcError(`${this.path}: the peer closed the stream`, Code.Canceled);
        this.#enter(StreamEvent.RemoteClose, undefined, cause);
        return;
      }
      case Kind.Error: {
        const error = peerError(body);
        this.#enter(StreamEvent.RemoteError, error, error);
        return;
      }
      case Kind.Cancel: {
        const error = new DrpcError(`${this.path}: the peer canceled the call`, Code.Canceled);
        this.#enter(StreamEvent.RemoteCancel, error, error);
        return;
      }
      case Kind.Invoke:
      case Kind.InvokeMetadata:
        throw new ProtocolError(`stream ${this.id}: ${kindName(kind)} came on a stream that is already open`);
      default:
        if (!control) {
          throw new ProtocolError(
            `stream ${this.id}: a packet of unknown ${kindName(kind)} came without the control flag`,
          );
        }
    }
  }

  /** The peer ends its side. One that read all has mostly answered each message, or all of them with one. */
  #leftoversAtEnd(): Leftovers {
    const sent = this.#sentMessages;
    const received = this.#receivedMessages;
    if (sent === 0 || (!this.#streamsRequests && this.#state !== StreamState.Open)) {
      return "none";
    }
    return this.#state === StreamState.Open || (received < sent && received !== 1) ? "likely" : "possible";
  }

  #apply(event: StreamEvent, body: Uint8Array, cause: DrpcError | undefined): void {
    const kind = sentKind(this.#state, event);
    if (kind === 0) {
      return;
    }
    this.#host.sendPacket(kind, this.id, this.takeMessageId(), body);
    this.#enter(event, cause, cause);
  }

  /**
   * Goes to the next state, and tells the receiver what that means. The state
   * comes first, so that whatever the receiver does then finds a stream on
   * which nothing can be sent that the peer must not see.
   */
  #enter(event: StreamEvent, endError: DrpcError | undefined, cause: DrpcError | undefined): void {
    const before = this.#state;
    const after = nextStreamState(before, event);
    if (before === StreamState.Terminated) {
      return;
    }
    this.#state = after;
    const terminates = after === StreamState.Terminated;
    if (terminates) {
      this.#cause = cause;
      this.#host.buffered(-this.#unreadCost - this.#assembler.heldBytes);
      this.#wakeSender();
    }
    if (this.#receiving && (terminates || event === StreamEvent.RemoteCloseSend)) {
      this.#receiving = false;
      this.#receiver.end(endError);
    }
    if (terminates) {
      this.#host.terminated(this, cause);
      this.#receiver.terminated(cause);
    }
  }

  #waitForCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#creditArrived = resolve;
    });
  }

  #wakeSender(): void {
    const wake = this.#creditArrived;
    this.#creditArrived = undefined;
    wake?.();
  }
}
