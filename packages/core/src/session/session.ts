// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { Connection, PeerInfo } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { ErrorFormat } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { Kind } from "../wire/kind.js";
import type { Settings } from "../wire/settings-payload.js";
import { AcceptedCalls, type AcceptedCallsHost } from "./accepted-calls.js";
import { ConnectionFlow } from "./connection-flow.js";
import { ConnectionReader } from "./connection-reader.js";
import { ControlFrames, isOutOfOrderKind } from "./control-frames.js";
import { endIncompleteMessages } from "./incomplete-messages.js";
import type { Invoke } from "./invoke-intake.js";
import { Liveness } from "./liveness.js";
import { checkFrameSize } from "./message-size.js";
import { encodeOpeningMetadata, type OpenCall } from "./open-call.js";
import { Pings } from "./pings.js";
import { ReceiveBudget, type StreamSituation } from "./receive-budget.js";
import type { SessionInit, SessionListener } from "./session-init.js";
import type { SessionLimits } from "./session-options.js";
import { announcementKey, mayBeRefusal, ownSettings, SettingsExchange } from "./settings-exchange.js";
import { Shutdown, type ShutdownHost } from "./shutdown.js";
import { Stream } from "./stream.js";
import type { StreamHost, StreamReceiver } from "./stream-host.js";
import { StreamRegistry } from "./stream-registry.js";
import { checkUnknownStream } from "./unknown-stream.js";
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
export class Session implements StreamHost, AcceptedCallsHost, ShutdownHost {
  readonly role: "client" | "server";
  readonly limits: SessionLimits;
  readonly errorFormat: ErrorFormat;
  readonly flow: ConnectionFlow;
  readonly budget: ReceiveBudget;

  readonly #connection: Connection;
  readonly #listener: SessionListener;
  #announces: boolean;
  readonly #streams = new StreamRegistry<Stream>();
  readonly #calls: AcceptedCalls;
  readonly #reader: ConnectionReader;
  readonly #writer: WriteScheduler;
  readonly #settings: SettingsExchange;
  readonly #controlFrames: ControlFrames;
  readonly #liveness: Liveness;
  readonly #pings = new Pings(this);
  readonly #shutdown = new Shutdown(this);
  readonly #answersAnnouncements: boolean;
  #highestStreamId = 0;
  #lastEarlyStreamId = 0;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #ended: DrpcError | undefined;

  constructor(init: SessionInit) {
    const { role, connection, limits, listener, flowControl } = init;
    this.role = role;
    this.limits = limits;
    this.errorFormat = init.errorFormat ?? "drpc";
    this.#connection = connection;
    this.#listener = listener;
    // A peer with the fork's flow control is none of ours.
    this.#announces = init.announces && flowControl === undefined;
    this.#answersAnnouncements = flowControl === undefined;
    this.budget = new ReceiveBudget({
      role,
      limits,
      streams: this.#streams,
      situate: (stream) => this.#situate(stream),
      pause: () => this.#reader.pause("unread"),
    });
    this.flow = new ConnectionFlow({
      limits,
      fork: flowControl,
      streams: this.#streams,
      send: (kind, streamId, body) => this.sendPacket(kind, streamId, 0, body),
      heldBytes: () => this.budget.bytes,
    });
    this.#calls = new AcceptedCalls(this);
    this.#writer = new WriteScheduler(connection, limits.maxUnsentBytes);
    this.#settings = new SettingsExchange(
      role,
      ownSettings(role, limits, this.flow.windows.contract, init.compressions),
      (stream, body) => this.sendPacket(Kind.Settings, stream.id, stream.takeMessageId(), body),
      (settings) => this.#peerAnswered(settings),
    );
    this.#controlFrames = new ControlFrames({
      credit: this.flow,
      // Who asks and asks, and never reads the answers, gets no more of them.
      pinged: (body) => {
        if (this.#writer.unsentBytes <= limits.maxUnsentBytes) {
          this.#pings.answer(body);
        }
      },
      goingAway: (lastStreamId, error) => this.#shutdown.peerGoingAway(lastStreamId, error),
      refused: (streamId, error) => this.#shutdown.peerRefused(this.#streams.get(streamId), error),
    });
    this.#reader = new ConnectionReader(role, connection, {
      fragment: (fragment) => this.#fragment(fragment),
      endOfChunk: () => this.#endOfChunk(),
      writable: () => this.#writable(),
      end: (error, orderly) => this.#end(error, orderly),
    });
    this.#liveness = new Liveness(
      {
        reader: this.#reader,
        writer: this.#writer,
        address: this.peer.address,
        busy: () => this.busy || this.#calls.halfOpenCount > 0,
        ping: () => this.#pings.ask(),
        probe: () => this.#pings.probe(this.streams()[0]),
        dead: (error) => this.abort(error),
        idle: () => this.close(new DrpcError("the connection was not used", Code.Unavailable, { notStarted: true })),
        endIncomplete: (beforeTick) => endIncompleteMessages(this.streams(), beforeTick, limits.messageTimeoutMs),
      },
      limits,
      init.idleTimeoutMs,
    );
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

  /** How many streams are live. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** True until either side ends the session, or says that it takes no more calls. */
  get takesCalls(): boolean {
    return this.#ended === undefined && this.#shutdown.reason === undefined;
  }

  /** How many accepted calls are not over: their stream has not ended, or their handler has not settled. */
  get acceptedCount(): number {
    return this.#calls.count;
  }

  /** What the peer said of itself, once it turned out to be a ts-drpc peer. */
  get peerSettings(): Settings | undefined {
    return this.#settings.peer;
  }

  /** The largest message that this side sends and the peer takes. */
  get maxSendBytes(): number {
    const { maxSendMessageBytes } = this.limits;
    return Math.min(maxSendMessageBytes, this.#settings.peer?.maxMessageBytes ?? maxSendMessageBytes);
  }

  /** True if the peer may know what a Header and a Trailer are: it announced itself, or a gateway before it did. */
  get carriesResponseMetadata(): boolean {
    return this.#settings.announced;
  }

  /** True once the peer has turned out to be a ts-drpc peer. */
  get knowsPeer(): boolean {
    return this.#settings.peer !== undefined;
  }

  /** True while there are calls. */
  get busy(): boolean {
    return this.#streams.size + this.#calls.count > 0;
  }

  /** The highest id of a stream that the peer opened and this side looked at. */
  get lastStreamId(): number {
    return this.#calls.highestStreamId;
  }

  /** Why no more calls are taken, or undefined if they are. */
  get draining(): DrpcError | undefined {
    return this.#shutdown.reason;
  }

  /** Dates what happens, in ticks of the liveness. */
  get tick(): number {
    return this.#liveness.ticks;
  }

  /** Opens a stream for a call. Throws a DrpcError that says `notStarted` if that cannot be. */
  open(call: OpenCall, createReceiver: (stream: Stream) => StreamReceiver): Stream {
    const gone = this.#ended ?? this.#shutdown.reason;
    if (gone !== undefined) {
      throw new DrpcError(`${call.path}: ${gone.rawMessage}`, gone.code, { cause: gone, notStarted: true });
    }
    const announces = this.#announces && this.#settings.peer === undefined && !this.#settings.outstanding;
    const announcement = announces ? ([announcementKey, this.#settings.announcement] as const) : undefined;
    const metadata = encodeOpeningMetadata(call, announcement, this.limits);
    this.#highestStreamId++;
    const stream = new Stream(this.#highestStreamId, call.path, this, createReceiver, undefined, call.streamsRequests);
    stream.openedAtWrite = this.#writer.writes;
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
    this.#calls.take();
    const stream = new Stream(invoke.streamId, invoke.path, this, createReceiver, invoke.assembler);
    this.#streams.add(stream);
    return stream;
  }

  /** Answers the announcement that came in a call's metadata. */
  answerAnnouncement(announcement: string, stream: Stream): void {
    if (this.#answersAnnouncements) {
      this.#settings.answer(announcement, stream);
    }
  }

  /** An accepted call is over: its stream has ended, its handler has settled, and its place is free. */
  release(): void {
    this.#calls.release();
    this.#shutdown.check();
  }

  /**
   * Takes no more calls, and tells the peer. Resolves when those under way
   * have ended, or the session has.
   */
  drain(reason: DrpcError): Promise<void> {
    this.#shutdown.begin(reason);
    return this.#ended === undefined ? this.#shutdown.drained() : Promise.resolve();
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
    this.#shutdown.begin(reason);
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

  reset(): void {
    if (this.role === "server") {
      this.#calls.reset();
    }
  }

  consumed(stream: Stream): void {
    if (stream.unreadCost <= this.limits.windowBytes >> 1) {
      this.#reader.resume("unread");
    }
    this.flow.consumed(stream);
  }

  terminated(stream: Stream, cause: DrpcError | undefined): void {
    this.#streams.delete(stream);
    const unsent = this.#writer.drop(stream.id, cause);
    this.flow.refund(unsent.messages, unsent.bytes);
    this.flow.drop(stream, cause);
    this.#reader.resume("unread");
    if (this.role === "client" && this.#settings.streamEnded(stream) && stream.answered && !mayBeRefusal(cause)) {
      this.#announces = false;
      this.#listener.peerKnown?.(undefined);
    }
    this.#listener.streamEnded?.(stream);
    this.#shutdown.check();
  }

  streams(): Stream[] {
    return this.#streams.all();
  }

  peerDrains(): void {
    this.#listener.draining?.();
  }

  invoked(invoke: Invoke): void {
    this.#listener.invoked?.(invoke);
  }

  #fragment(fragment: FrameReader): void {
    checkFrameSize(fragment.frameBytes, this.limits);
    const { kind, streamId } = fragment;
    if (kind === Kind.Message) {
      this.flow.received(fragment);
    }
    const stream = this.#streams.get(streamId);
    if (isOutOfOrderKind(kind)) {
      this.#controlFrames.receive(fragment);
    } else if (kind === Kind.Settings) {
      this.#settings.receive(fragment);
    } else if (stream !== undefined) {
      stream.receive(fragment);
    } else if (this.role === "server" && (kind === Kind.Invoke || kind === Kind.InvokeMetadata)) {
      this.#calls.receive(fragment);
    } else {
      checkUnknownStream(fragment, this.role, Math.max(this.#highestStreamId, this.lastStreamId));
      this.#calls.passedOver(fragment);
    }
  }

  #endOfChunk(): void {
    this.#calls.endOfChunk();
    this.flow.returnCredit();
    // A client always reads: if both sides stopped, each would wait for the other for ever.
    if (this.role === "server" && this.#writer.overfull()) {
      this.#reader.pause("unsent");
    }
  }

  #writable(): void {
    this.#writer.writable();
    if (!this.#writer.busy || this.#writer.unsentBytes <= this.limits.maxUnsentBytes) {
      this.#reader.resume("unsent");
    }
  }

  #situate(stream: Stream): StreamSituation {
    const announced = this.#settings.wasAnnouncedOn(stream);
    const alone = this.#streams.size + this.#calls.halfOpenCount === 1;
    return {
      alone: alone && (announced || this.flow.peerWindowBytes === undefined),
      mayBeAhead: !this.#answersAnnouncements || announced || stream.id <= this.#lastEarlyStreamId,
    };
  }

  #peerAnswered(settings: Settings): void {
    this.#lastEarlyStreamId = Math.max(this.#highestStreamId, this.lastStreamId);
    this.flow.peerAnswered(settings);
    for (const stream of this.#streams.all()) {
      stream.credit.resize(settings.windowBytes);
      this.consumed(stream);
    }
    this.#shutdown.peerKnown();
    this.#listener.peerKnown?.(settings);
  }

  #end(error: DrpcError, orderly = false): void {
    if (this.#ended !== undefined) {
      return;
    }
    const outcome = this.#shutdown.outcome(error, orderly);
    this.#ended = error;
    clearTimeout(this.#closing);
    this.#liveness.end();
    this.#reader.end();
    this.#calls.end();
    this.#writer.end(error);
    for (const stream of this.#streams.all()) {
      stream.connectionEnd(error, stream.openedAtWrite === this.#writer.writes);
    }
    this.#shutdown.end();
    this.#listener.ended?.(outcome);
  }
}
