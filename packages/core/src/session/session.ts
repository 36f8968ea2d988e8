// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { Connection, PeerInfo } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { type ErrorFormat, encodeErrorPayload } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { isKnownKind, Kind, kindName } from "../wire/kind.js";
import { encodeMetadataPayload } from "../wire/metadata-payload.js";
import { ProtocolError } from "../wire/protocol-error.js";
import { type Settings, settingsVersion } from "../wire/settings-payload.js";
import { ConnectionReader } from "./connection-reader.js";
import { encodeGrant } from "./flow-control.js";
import { GrantReader } from "./grant-reader.js";
import { type IntakeHost, type Invoke, InvokeIntake } from "./invoke-intake.js";
import { ReceiveBudget, type StreamSituation } from "./receive-budget.js";
import type { OpenCall, SessionInit, SessionListener } from "./session-init.js";
import type { SessionLimits } from "./session-options.js";
import { announcementKey, mayBeRefusal, SettingsExchange } from "./settings-exchange.js";
import { Stream, type StreamHost, type StreamReceiver } from "./stream.js";
import { StreamRegistry } from "./stream-registry.js";
import { WriteScheduler } from "./write-scheduler.js";

// Long enough for a busy peer to read what is left, short enough for a process that wants to end.
const closeTimeoutMs = 1_000;

/**
 * Session runs any number of streams over one connection, as its client or as
 * its server. It owns the connection and ends with it.
 *
 * A violation of the protocol ends the session; anything else that goes wrong
 * ends one stream.
 */
export class Session implements StreamHost, IntakeHost {
  readonly role: "client" | "server";
  readonly limits: SessionLimits;
  readonly maxMessageBytes: number;
  readonly maxMetadataBytes: number;
  readonly errorFormat: ErrorFormat;

  readonly #connection: Connection;
  readonly #listener: SessionListener;
  #announces: boolean;
  readonly #streams = new StreamRegistry<Stream>();
  readonly #intake: InvokeIntake;
  readonly #reader: ConnectionReader;
  readonly #writer: WriteScheduler;
  readonly #settings: SettingsExchange;
  readonly #grants = new GrantReader();
  readonly #budget: ReceiveBudget;
  #highestStreamId = 0;
  #accepted = 0;
  #draining: DrpcError | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #ended: DrpcError | undefined;
  #drained: (() => void)[] = [];

  constructor({ role, connection, limits, listener, announces, errorFormat = "drpc" }: SessionInit) {
    this.role = role;
    this.limits = limits;
    this.maxMessageBytes = limits.maxMessageBytes;
    this.maxMetadataBytes = limits.maxMetadataBytes;
    this.errorFormat = errorFormat;
    this.#connection = connection;
    this.#listener = listener;
    this.#announces = announces;
    this.#budget = new ReceiveBudget(limits, this.#streams);
    this.#intake = new InvokeIntake(this);
    this.#writer = new WriteScheduler(connection, limits.maxUnsentBytes);
    this.#settings = new SettingsExchange(
      role,
      {
        version: settingsVersion,
        windowBytes: limits.windowBytes,
        maxMessageBytes: limits.maxMessageBytes,
        maxConcurrentStreams: role === "server" ? limits.maxConcurrentStreams : 0,
      },
      (stream, body) => this.sendPacket(Kind.Settings, stream.id, stream.takeMessageId(), body),
      (settings) => this.#peerAnswered(settings),
    );
    this.#reader = new ConnectionReader(role, connection, {
      fragment: (fragment) => this.#fragment(fragment),
      endOfChunk: () => this.#endOfChunk(),
      writable: () => this.#writable(),
      end: (error, orderly) => this.#end(error, orderly),
    });
    this.#reader.start();
  }

  /** Who is at the other end. */
  get peer(): PeerInfo {
    return this.#connection.peer;
  }

  /** Why the session ended, once it has. */
  get ended(): DrpcError | undefined {
    return this.#ended;
  }

  /** How many bytes are held for the streams, unread or unfinished. */
  get bufferedBytes(): number {
    return this.#budget.bytes;
  }

  /** How many streams are live. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** How many accepted calls are not over: their stream has not ended, or their handler has not settled. */
  get acceptedCount(): number {
    return this.#accepted;
  }

  /** What the peer said of itself, once it turned out to be a ts-drpc peer. */
  get peerSettings(): Settings | undefined {
    return this.#settings.peer;
  }

  /** The largest message that both sides take. */
  get maxSendBytes(): number {
    return Math.min(this.maxMessageBytes, this.#settings.peer?.maxMessageBytes ?? this.maxMessageBytes);
  }

  /** The peer's window for a stream, or undefined while it is not known to have one. */
  get peerWindowBytes(): number | undefined {
    return this.#settings.peer?.windowBytes;
  }

  /** Opens a stream for a call. Throws a DrpcError that says `notStarted` if that cannot be. */
  open(call: OpenCall, createReceiver: (stream: Stream) => StreamReceiver): Stream {
    const gone = this.#ended ?? this.#draining;
    if (gone !== undefined) {
      throw new DrpcError(`${call.path}: ${gone.rawMessage}`, gone.code, { cause: gone, notStarted: true });
    }
    const announces = this.#announces && this.#settings.peer === undefined && !this.#settings.outstanding;
    const entries = announces
      ? [...call.metadata, [announcementKey, this.#settings.announcement] as const]
      : call.metadata;
    const metadata = entries.length === 0 ? undefined : encodeMetadataPayload(entries);
    if (metadata !== undefined && metadata.length > this.maxMetadataBytes) {
      throw new DrpcError(
        `${call.path}: metadata of ${metadata.length} bytes was not sent, the limit maxMetadataBytes is ${this.maxMetadataBytes}`,
        Code.ResourceExhausted,
        { notStarted: true },
      );
    }
    this.#highestStreamId++;
    const stream = new Stream(this.#highestStreamId, call.path, this, createReceiver, undefined, call.streamsRequests);
    this.#streams.add(stream);
    if (announces) {
      this.#settings.announcedOn(stream);
    }
    if (metadata !== undefined) {
      stream.sendInvoke(Kind.InvokeMetadata, metadata);
    }
    stream.sendInvoke(Kind.Invoke, call.pathBytes);
    this.#reader.resume("unread");
    return stream;
  }

  /** Opens the stream of a call that the peer opened. It takes a place until it is released. */
  openAccepted(invoke: Invoke, createReceiver: (stream: Stream) => StreamReceiver): Stream {
    this.#accepted++;
    const stream = new Stream(invoke.streamId, invoke.path, this, createReceiver, invoke.assembler);
    this.#streams.add(stream);
    return stream;
  }

  /** Answers the announcement that came in a call's metadata. */
  answerAnnouncement(announcement: string, stream: Stream): void {
    this.#settings.answer(announcement, stream);
  }

  /** An accepted call is over: its stream has ended, its handler has settled, and its place is free. */
  release(): void {
    this.#accepted--;
    this.#checkDrained();
  }

  /**
   * Takes no more calls. Resolves when those under way have ended, or the
   * session has.
   */
  drain(reason: DrpcError): Promise<void> {
    this.#draining ??= reason;
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#checkDrained();
    });
  }

  /**
   * Ends all calls with an error that the peer is told, then the connection
   * once that was sent. A peer that does not take it for a second is not
   * waited for.
   */
  close(reason: DrpcError): void {
    if (this.#ended !== undefined || this.#closing !== undefined) {
      return;
    }
    this.#draining ??= reason;
    this.#closing = setTimeout(() => this.abort(reason), closeTimeoutMs);
    for (const stream of this.#streams.all()) {
      stream.fail(new DrpcError(`${stream.path}: ${reason.rawMessage}`, reason.code, { cause: reason }));
    }
    this.#writer.finish(reason);
    this.#reader.resume("unsent");
    this.#connection.close();
  }

  /** Ends all calls and the connection at once. */
  abort(reason: DrpcError): void {
    this.#end(reason);
    this.#connection.abort();
  }

  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void {
    this.#writer.sendPacket(kind, streamId, messageId, body);
  }

  sendMessage(streamId: number, messageId: number, body: Uint8Array): Promise<void> | undefined {
    return this.#writer.sendMessage(streamId, messageId, body);
  }

  buffered(change: number): void {
    this.#budget.add(change);
  }

  checkLimits(stream: Stream): void {
    const verdict = this.#budget.check(stream, this.#situate);
    if (verdict === "pause") {
      this.#reader.pause("unread");
    } else if (verdict !== undefined) {
      verdict.stream.fail(verdict.error);
    }
  }

  consumed(stream: Stream): void {
    if (stream.unreadCost <= this.limits.windowBytes >> 1) {
      this.#reader.resume("unread");
    }
    if (this.#settings.peer !== undefined) {
      const grant = stream.takeGrant(this.limits.windowBytes);
      if (grant > 0) {
        this.sendPacket(Kind.WindowUpdate, stream.id, 0, encodeGrant(grant));
      }
    }
  }

  terminated(stream: Stream, cause: DrpcError | undefined): void {
    this.#streams.delete(stream);
    this.#writer.drop(stream.id, cause);
    this.#reader.resume("unread");
    if (this.role === "client" && this.#settings.streamEnded(stream) && stream.answered && !mayBeRefusal(cause)) {
      this.#announces = false;
      this.#listener.peerKnown?.(undefined);
    }
    this.#listener.streamEnded?.(stream);
    this.#checkDrained();
  }

  overBudget(): DrpcError | undefined {
    return this.#budget.exceeded();
  }

  refusal(): DrpcError | undefined {
    if (this.#draining !== undefined) {
      return this.#draining;
    }
    const { maxConcurrentStreams } = this.limits;
    if (this.#accepted + this.#intake.size < maxConcurrentStreams) {
      return undefined;
    }
    return new DrpcError(
      `too many concurrent streams: the limit maxConcurrentStreams is ${maxConcurrentStreams}`,
      Code.ResourceExhausted,
    );
  }

  accept(invoke: Invoke): void {
    if (this.#draining !== undefined) {
      this.refuse(invoke.streamId, this.#draining);
      return;
    }
    this.#highestStreamId = Math.max(this.#highestStreamId, invoke.streamId);
    this.#listener.invoked?.(invoke);
  }

  refuse(streamId: number, error: DrpcError): void {
    this.#highestStreamId = Math.max(this.#highestStreamId, streamId);
    const body = encodeErrorPayload({ code: error.wireCode, text: error.rawMessage }, this.errorFormat);
    this.sendPacket(Kind.Error, streamId, 1, body);
  }

  readonly #situate = (stream: Stream): StreamSituation => ({
    alone: this.#settings.peer === undefined && this.#streams.size + this.#intake.size === 1,
    announced: this.#settings.wasAnnouncedOn(stream),
  });

  #fragment(fragment: FrameReader): void {
    if (fragment.frameBytes > this.limits.maxBufferedBytes) {
      // No limit of a stream helps here: all that comes would be data of this frame, for ever if it says so.
      throw new ProtocolError(
        `a frame announces ${fragment.frameBytes} bytes, the limit maxBufferedBytes is ${this.limits.maxBufferedBytes}`,
      );
    }
    const stream = this.#streams.get(fragment.streamId);
    if (fragment.kind === Kind.WindowUpdate) {
      const credit = this.#grants.receive(fragment);
      if (credit > 0 && this.#settings.peer !== undefined) {
        stream?.grant(credit);
      }
    } else if (fragment.kind === Kind.Settings) {
      this.#settings.receive(fragment);
    } else if (stream !== undefined) {
      stream.receive(fragment);
    } else if (fragment.streamId === 0 && !fragment.control) {
      throw new ProtocolError(`a ${kindName(fragment.kind)} packet came for stream 0, which is no stream`);
    } else {
      this.#unknownStream(fragment);
    }
  }

  #unknownStream(fragment: FrameReader): void {
    const { kind, streamId, control } = fragment;
    const isNew = streamId > this.#highestStreamId;
    if (this.role === "server") {
      if (kind === Kind.Invoke || kind === Kind.InvokeMetadata) {
        this.#intake.receive(fragment);
      } else if (kind === Kind.Cancel || kind === Kind.Close) {
        this.#intake.abandon(streamId);
      } else if (isNew && !control && !isKnownKind(kind)) {
        throw new ProtocolError(
          `stream ${streamId}: a packet of unknown ${kindName(kind)} came without the control flag`,
        );
      }
    } else if (isNew && !control) {
      throw new ProtocolError(`a ${kindName(kind)} packet came for stream ${streamId}, which was never opened`);
    }
  }

  #endOfChunk(): void {
    this.#intake.endOfChunk();
    // Messages wait for room; only answers that nobody waits for can grow beyond it. A client sends none
    // unasked, and always reads: if both sides stopped, each would wait for the other for ever.
    if (this.role === "server" && this.#writer.unsentBytes > 2 * this.limits.maxUnsentBytes) {
      this.#writer.flush();
      if (this.#writer.busy) {
        this.#reader.pause("unsent");
      }
    }
  }

  #writable(): void {
    this.#writer.writable();
    if (!this.#writer.busy || this.#writer.unsentBytes <= this.limits.maxUnsentBytes) {
      this.#reader.resume("unsent");
    }
  }

  #peerAnswered(settings: Settings): void {
    for (const stream of this.#streams.all()) {
      stream.peerWindow(settings.windowBytes);
      this.consumed(stream);
    }
    this.#listener.peerKnown?.(settings);
  }

  #checkDrained(): void {
    if (this.#drained.length > 0 && (this.#ended !== undefined || this.#streams.size + this.#accepted === 0)) {
      for (const resolve of this.#drained.splice(0)) {
        resolve();
      }
    }
  }

  #end(error: DrpcError, orderly = false): void {
    if (this.#ended !== undefined) {
      return;
    }
    const idle = (this.#draining !== undefined || orderly) && this.#streams.size === 0;
    this.#ended = error;
    clearTimeout(this.#closing);
    this.#reader.end();
    this.#intake.end();
    this.#writer.end(error);
    for (const stream of this.#streams.all()) {
      stream.connectionEnd(error);
    }
    this.#checkDrained();
    this.#listener.ended?.(idle ? undefined : error);
  }
}
