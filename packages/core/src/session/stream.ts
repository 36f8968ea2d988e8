// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { encodeErrorPayload, type StatusDetail } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { Kind, kindName } from "../wire/kind.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { owned } from "../wire/owned.js";
import { PacketAssembler, PacketTooLargeError } from "../wire/packet-assembler.js";
import { ProtocolError } from "../wire/protocol-error.js";
import { errorPayload } from "./error-status.js";
import { messageOverheadBytes } from "./flow-control.js";
import { type Leftovers, leftoversAtCancel, leftoversAtEnd } from "./leftovers.js";
import { asTooLarge, checkMessageSize, maxPacketBytes, peerMessageTooLarge } from "./message-size.js";
import { peerError } from "./peer-error.js";
import {
  detailsInTrailer,
  encodeResponseMetadata,
  type ResponseMetadataKind,
  receiveResponseMetadata,
  trailerEntries,
} from "./response-metadata.js";
import { StreamCredit } from "./stream-credit.js";
import type { StreamHost, StreamReceiver } from "./stream-host.js";
import { nextStreamState, StreamEvent, StreamState, sentKind, takesMessages } from "./stream-state.js";
import { StreamWindow } from "./stream-window.js";

const noBytes = new Uint8Array(0);

/**
 * Stream is one RPC on a session, seen from either side.
 *
 * The session feeds it frames; the call that it carries sends through it, one
 * `send` after the other, and is told what comes by its {@link StreamReceiver}.
 */
export class Stream {
  readonly id: number;
  readonly path: string;

  /** What may still be sent here. */
  readonly credit: StreamCredit;

  /** How many messages this side has sent. */
  sentMessages = 0;

  /** True once the peer has sent anything here. */
  answered = false;

  /** How many messages have come. */
  receivedMessages = 0;

  /** How often the session had written to its connection when it opened the stream. */
  openedAtWrite = -1;

  readonly #host: StreamHost;
  readonly #receiver: StreamReceiver;
  readonly #assembler: PacketAssembler;
  readonly #streamsRequests: boolean;
  #state: StreamState = StreamState.Open;
  #cause: DrpcError | undefined;
  #receiving = true;
  #nextMessageId = 1;
  readonly #window: StreamWindow;
  #unreadCost = 0;
  #keptCost = 0;
  #incompleteSince = 0;
  #leftovers: Leftovers = "none";
  #errorDetails: readonly StatusDetail[] | undefined;

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
    this.credit = new StreamCredit(host.flow.peerWindowBytes ?? 0);
    this.#window = new StreamWindow(host.flow.windows);
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
    return this.#unreadCost + this.#keptCost + this.#assembler.heldBytes;
  }

  /** True while somebody waits for the next message. */
  get wantsMessage(): boolean {
    return this.#receiver.wantsMessage;
  }

  /** Whether messages of this side may lie unread at the peer, once the stream has ended. */
  get leftovers(): Leftovers {
    return this.#leftovers;
  }

  /** The tick since which something that the peer must send has been incomplete, or 0 if nothing is. */
  get incompleteSince(): number {
    return this.#incompleteSince;
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
   * A body that has to wait is `owned` first: its buffer can be used again.
   *
   * Throws a DrpcError if it is too large or this side can send no more.
   */
  send(body: Uint8Array): Promise<void> | undefined {
    checkMessageSize(this.path, body.length, this.#host.maxSendBytes, this.#host.limits);
    if (sentKind(this.#state, StreamEvent.LocalMessage) === 0) {
      throw this.#cause ?? new DrpcError(`${this.path}: this side has said that it sends no more`, Code.Internal);
    }
    const host = this.#host;
    const cost = body.length + host.flow.windows.contract.overheadBytes;
    if (host.flow.peerWindowBytes !== undefined && !this.credit.covers(cost)) {
      return this.credit.arrival().then(this.send.bind(this, owned(body)));
    }
    const admitted = host.flow.spend(this.id, cost);
    return admitted === undefined
      ? this.#sendAdmitted(body, cost)
      : admitted.then(this.#sendAdmitted.bind(this, owned(body), cost));
  }

  #sendAdmitted(body: Uint8Array, cost: number): Promise<void> | undefined {
    if (sentKind(this.#state, StreamEvent.LocalMessage) === 0) {
      // It ended between the moment when the credit came and this one.
      this.#host.flow.refund(1, body.length);
      throw this.#cause ?? new DrpcError(`${this.path}: the call is over`, Code.Canceled);
    }
    this.credit.spend(cost);
    this.sentMessages++;
    return this.#host.sendMessage(this.id, this.takeMessageId(), body);
  }

  /**
   * Sends a server's metadata ahead of its messages, or behind them, if the peer
   * may know what that is. To any other peer it is not sent. Throws a DrpcError if it is too large.
   */
  sendResponseMetadata(kind: ResponseMetadataKind, entries: MetadataEntries): void {
    const { carriesResponseMetadata, limits } = this.#host;
    if (carriesResponseMetadata && entries.length > 0 && sentKind(this.#state, StreamEvent.LocalMessage) !== 0) {
      const body = encodeResponseMetadata(this.path, kind, entries, limits);
      this.#host.sendPacket(kind, this.id, this.takeMessageId(), body);
    }
  }

  /** Says that this side sends no more messages. */
  closeSend(): void {
    this.#apply(StreamEvent.LocalCloseSend, noBytes, undefined);
  }

  /** Ends the stream: what the peer still sends is of no interest. */
  close(): void {
    this.#apply(StreamEvent.LocalClose, noBytes, undefined);
  }

  /** Ends the stream with an error for the peer, and a server's metadata, which is left out if it is too large. */
  sendError(error: DrpcError, trailer: MetadataEntries = []): void {
    const payload = errorPayload(error);
    try {
      this.sendResponseMetadata(Kind.Trailer, trailerEntries(trailer, error));
    } catch {
      // What went wrong first is what the peer should know.
    }
    this.#apply(StreamEvent.LocalError, encodeErrorPayload(payload, this.#host.errorFormat), error);
  }

  /** Ends the stream and tells the peer to stop. */
  cancel(reason: DrpcError): void {
    if (!this.terminated && this.#streamsRequests && this.sentMessages > 0) {
      this.#leftovers = leftoversAtCancel(this);
    }
    this.#apply(StreamEvent.LocalCancel, noBytes, reason);
  }

  /** Ends the stream because of something that the peer did on it: a server says so, a client cancels. */
  fail(error: DrpcError): void {
    if (this.#host.role === "server") {
      if (!this.terminated) {
        this.#host.reset();
      }
      this.sendError(error);
    } else {
      this.cancel(error);
    }
  }

  /** The receiver is done with a message of this length. */
  consume(bytes: number): void {
    const cost = bytes + messageOverheadBytes;
    this.#unreadCost -= cost;
    this.#window.consume(bytes);
    if (!this.terminated) {
      this.#host.budget.add(-cost);
      this.#host.consumed(this);
      if (this.#keptCost === 0) {
        this.#host.flow.repaid(this);
      }
    }
  }

  /** The receiver keeps a message of this length until the stream has ended. */
  keep(bytes: number): void {
    const cost = bytes + messageOverheadBytes;
    this.#unreadCost -= cost;
    this.#keptCost += cost;
    this.#window.consume(bytes);
    this.#host.consumed(this);
  }

  /** The receiver has begun to wait for a message. */
  messageWanted(): void {
    this.#host.flow.messageWanted(this);
  }

  /** The receiver cannot do anything before a message has come, which the peer must send in good time. */
  expectMessage(): void {
    this.#incompleteSince = this.#host.tick;
  }

  /** Takes what is to be granted to the peer now: 0 until enough has been consumed to be worth a frame. */
  takeGrant(): number {
    return takesMessages(this.#state) ? this.#window.takeGrant() : 0;
  }

  /** The peer says that it never looked at the call. */
  refused(error: DrpcError): void {
    this.#enter(StreamEvent.RemoteError, error, error);
  }

  /** The session is gone, perhaps before anything of the stream was written. */
  connectionEnd(reason: DrpcError, notStarted: boolean): void {
    const error = new DrpcError(`${this.path}: ${reason.rawMessage}`, reason.code, { cause: reason, notStarted });
    this.#enter(StreamEvent.ConnectionEnd, error, error);
  }

  /** Takes a fragment of a frame of this stream. Throws a ProtocolError if the connection cannot go on. */
  receive(fragment: FrameReader): void {
    this.answered = true;
    const body = this.#assemble(fragment);
    if (body !== undefined && !this.terminated) {
      this.#packet(fragment, body);
    }
  }

  #assemble(fragment: FrameReader): Uint8Array | undefined {
    const held = this.#assembler.heldBytes;
    let body: Uint8Array | PacketTooLargeError | undefined;
    try {
      body = this.#assembler.accept(fragment, maxPacketBytes(fragment.kind, this.#host.limits));
    } catch (reason) {
      body = asTooLarge(reason);
    }
    // A packet that is refused may have dropped an unfinished one before it.
    if (this.#assembler.heldBytes !== held) {
      this.#incompleteSince = this.#assembler.heldBytes === 0 ? 0 : this.#incompleteSince || this.#host.tick;
      this.#host.budget.add(this.#assembler.heldBytes - held);
      this.#host.budget.check(this);
    }
    if (body instanceof PacketTooLargeError) {
      this.fail(peerMessageTooLarge(this.path, body));
      return undefined;
    }
    return body;
  }

  #packet({ kind, control }: FrameReader, body: Uint8Array): void {
    switch (kind) {
      case Kind.Message:
        if (takesMessages(this.#state)) {
          const cost = body.length + messageOverheadBytes;
          this.#unreadCost += cost;
          this.receivedMessages++;
          this.#incompleteSince = 0;
          this.#host.budget.add(cost);
          this.#receiver.message(body);
          if (this.#unreadCost + this.#keptCost > 0 && !this.terminated) {
            this.#host.budget.check(this);
          }
        }
        return;
      case Kind.CloseSend:
        this.#leftovers = leftoversAtEnd(this.#state, this.#streamsRequests, this);
        this.#enter(StreamEvent.RemoteCloseSend, undefined, undefined);
        return;
      case Kind.Error: {
        const error = peerError(body, this.#errorDetails);
        this.#enter(StreamEvent.RemoteError, error, error);
        return;
      }
      case Kind.Close:
      case Kind.Cancel:
        this.#peerLeft(kind);
        return;
      case Kind.Header:
      case Kind.Trailer:
        this.#responseMetadata(kind, body);
        return;
      case Kind.Invoke:
      case Kind.InvokeMetadata:
        throw new ProtocolError(`stream ${this.id}: ${kindName(kind)} came on a stream that is already open`);
      default:
        if (!control) {
          const packet = `a packet of unknown ${kindName(kind)}`;
          throw new ProtocolError(`stream ${this.id}: ${packet} came without the control flag`);
        }
    }
  }

  #peerLeft(kind: number): void {
    const canceled = kind === Kind.Cancel;
    const did = canceled ? "canceled the call" : "closed the stream";
    const cause = new DrpcError(`${this.path}: the peer ${did}`, Code.Canceled);
    // A client that leaves before its call was answered has cost the server something for nothing.
    if (this.#host.role === "server" && this.#state !== StreamState.HalfClosedLocal && !this.terminated) {
      this.#host.reset();
    }
    this.#enter(canceled ? StreamEvent.RemoteCancel : StreamEvent.RemoteClose, canceled ? cause : undefined, cause);
  }

  #responseMetadata(kind: ResponseMetadataKind, body: Uint8Array): void {
    if (this.#host.role === "server" || !takesMessages(this.#state)) {
      return;
    }
    const received = receiveResponseMetadata(this.path, kind, body, this.#host.limits, this.#receiver);
    if (received instanceof DrpcError) {
      this.fail(received);
    } else if (kind === Kind.Trailer) {
      this.#errorDetails = detailsInTrailer(received);
    }
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
      this.#host.budget.add(-this.heldBytes);
      this.#window.end();
      this.credit.wake();
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
}
