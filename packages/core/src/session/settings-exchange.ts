// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import { decodeBase64, encodeBase64 } from "../wire/base64.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { PacketAssembler } from "../wire/packet-assembler.js";
import { decodeSettings, encodeSettings, type Settings, settingsVersion } from "../wire/settings-payload.js";
import type { FlowContract } from "./flow-contract.js";
import type { SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";

/** The metadata key under which a client announces that it is a ts-drpc peer. */
export const announcementKey = "ts-drpc";

const maxSettingsBytes = 1_024;

/** Returns what this side says of itself. */
export function ownSettings(
  role: "client" | "server",
  limits: SessionLimits,
  contract: FlowContract,
  compressions = 0,
): Settings {
  return {
    version: settingsVersion,
    windowBytes: contract.initialWindowBytes,
    maxMessageBytes: limits.maxMessageBytes,
    maxConcurrentStreams: role === "server" ? limits.maxConcurrentStreams : 0,
    connectionWindowBytes: contract.connectionWindowBytes ?? 0,
    compressions,
  };
}

/**
 * SettingsExchange finds out whether the peer is a ts-drpc peer too
 * (docs/protocol.md#settings).
 *
 * A client announces itself in the metadata of a call. A server answers with a
 * Settings frame on that stream, which any other client ignores, and the
 * client answers with one of its own. Only what came in a frame counts:
 * metadata is forwarded by gateways, and proves nothing about who holds the
 * connection.
 */
export class SettingsExchange {
  /** The announcement, as the value of its metadata key. */
  readonly announcement: string;

  readonly #role: "client" | "server";
  readonly #own: Settings;
  readonly #send: (stream: Stream, body: Uint8Array) => void;
  readonly #received: (settings: Settings) => void;
  #announcing: Stream | undefined;
  #frame: PacketAssembler | undefined;
  #peer: Settings | undefined;
  #announced = false;

  constructor(
    role: "client" | "server",
    own: Settings,
    send: (stream: Stream, body: Uint8Array) => void,
    received: (settings: Settings) => void,
  ) {
    this.announcement = encodeBase64(encodeSettings(own), "url");
    this.#role = role;
    this.#own = own;
    this.#send = send;
    this.#received = received;
  }

  /** What the peer said of itself in a frame of its own, if it did. */
  get peer(): Settings | undefined {
    return this.#peer;
  }

  /** True once either side has announced itself on this connection. */
  get announced(): boolean {
    return this.#announced;
  }

  /** True while a call that carries the announcement is under way, and the peer has not answered. */
  get outstanding(): boolean {
    return this.#announcing !== undefined && this.#peer === undefined;
  }

  /** A client's call carries the announcement. */
  announcedOn(stream: Stream): void {
    this.#announced = true;
    this.#announcing = stream;
    this.#frame = undefined;
  }

  /** Tells whether the stream carried the announcement, so that it began before the two knew each other. */
  wasAnnouncedOn(stream: Stream): boolean {
    return this.#announcing === stream;
  }

  /** A stream ended. Tells whether it was the one that asks, and was never answered. */
  streamEnded(stream: Stream): boolean {
    if (this.#announcing !== stream || this.#peer !== undefined) {
      return false;
    }
    this.#announcing = undefined;
    return true;
  }

  /** A server read an announcement: it answers, unless the two know each other already. */
  answer(announcement: string, stream: Stream): void {
    const body = decodeBase64(announcement);
    if (this.#peer === undefined && body !== undefined && body.length <= maxSettingsBytes) {
      this.#announced = true;
      this.#announcing = stream;
      this.#frame = undefined;
      this.#send(stream, encodeSettings(this.#own));
    }
  }

  /** Takes a fragment of a Settings frame. One that nobody asked for is ignored, as any unknown control frame. */
  receive(fragment: FrameReader): void {
    const stream = this.#announcing;
    if (stream === undefined || stream.id !== fragment.streamId || !fragment.control || this.#peer !== undefined) {
      return;
    }
    this.#frame ??= new PacketAssembler();
    const body = this.#frame.accept(fragment, maxSettingsBytes);
    if (body === undefined) {
      return;
    }
    this.#frame = undefined;
    this.#peer = decodeSettings(body);
    if (this.#role === "client") {
      this.#send(stream, encodeSettings(this.#own));
    }
    this.#received(this.#peer);
  }
}

/** Tells whether an error may be that of a server that refused the call before it read the announcement in it. */
export function mayBeRefusal(error: DrpcError | undefined): boolean {
  const { ResourceExhausted, Unavailable, DeadlineExceeded } = Code;
  return error !== undefined && [ResourceExhausted, Unavailable, DeadlineExceeded].some((code) => code === error.code);
}
