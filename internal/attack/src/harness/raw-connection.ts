// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { decodeErrorPayload, FrameReader, Kind } from "@ts-drpc/core/wire";
import { frame } from "./frames.js";
import { type Patience, until } from "./until.js";

/** An error that the other side answered with. */
export interface AnsweredError {
  readonly code: bigint;
  readonly text: string;
}

/** How a flood ended: all was taken, the other side ended the connection, or it takes no more. */
export type FloodEnd = "sent" | "ended" | "blocked";

// What came is counted for ever, but remembered only so far: an attack must not fill the attacker.
const maxRemembered = 2_000;
const maxErrorBytes = 65_536;

/** One end of a socket that writes any bytes, at its own pace, and counts what comes back. */
export class RawConnection {
  readonly socket: Socket;

  /** How many frames of each kind came. */
  readonly counts = new Map<number, number>();

  /** How many streams were answered with an error of each text, numbers left out. */
  readonly errorTexts = new Map<string, number>();

  /** The errors by stream, the first ones. */
  readonly errors = new Map<number, AnsweredError>();

  /** The streams on which messages came, and how many, the first ones. */
  readonly messages = new Map<number, number>();

  /** How many bytes came. */
  receivedBytes = 0;

  /** True once the other side has ended the connection. */
  isEnded = false;

  readonly #reader = new FrameReader();
  #awaited = 0;
  #errorBody: Uint8Array[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
    socket.on("error", () => undefined);
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.isEnded = true;
      });
    }
  }

  /** How many frames of a kind came. */
  count(kind: number): number {
    return this.counts.get(kind) ?? 0;
  }

  /** Writes bytes, and does not wait. */
  write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.socket.write(part);
    }
  }

  /**
   * Writes one chunk after the other, as fast as the other side takes them.
   * If it takes nothing for `patienceMs`, it has blocked.
   */
  async flood(chunks: Iterable<Uint8Array>, patienceMs = 500): Promise<FloodEnd> {
    let turn = 0;
    for (const chunk of chunks) {
      if (this.isEnded || this.socket.destroyed) {
        return "ended";
      }
      const roomy = this.socket.write(chunk);
      if (!roomy) {
        const end = await this.#drained(patienceMs);
        if (end !== "sent") {
          return end;
        }
      } else if (++turn % 64 === 0) {
        // The other side's answers are read too.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return this.isEnded ? "ended" : "sent";
  }

  /** Waits until something is so of what came. */
  until(what: string, isSo: () => boolean, patience?: Patience): Promise<void> {
    return until(what, isSo, { givesUp: () => this.isEnded, ...patience });
  }

  /** Waits until the other side has ended the connection. */
  async untilEnded(timeoutMs?: number): Promise<void> {
    await until("the other side ends the connection", () => this.isEnded, { timeoutMs });
  }

  /** Waits for the error that a stream is answered with. */
  async errorOn(stream: number): Promise<AnsweredError> {
    await this.until(`an Error on stream ${stream}`, () => this.errors.has(stream));
    return this.errors.get(stream) as AnsweredError;
  }

  /** Shows that the connection still works: sends a message on a stream that echoes, and waits for the answer. */
  async echoOn(stream: number, message: number, body: Uint8Array): Promise<void> {
    const before = this.messages.get(stream) ?? 0;
    this.write(frame(Kind.Message, stream, message, body));
    const echoed = (): boolean => (this.messages.get(stream) ?? 0) > before;
    await this.until(`a Message on stream ${stream}`, () => echoed() || this.errors.has(stream));
    assert.ok(echoed(), `stream ${stream} was answered with an error: ${this.errors.get(stream)?.text}`);
  }

  /** Waits until all that was sent before has been read, as answers come in the order of what they answer. */
  async settled(unary: string, stream: number): Promise<void> {
    this.#awaited = stream;
    this.write(frame(Kind.Invoke, stream, 1, unary), frame(Kind.Message, stream, 2), frame(Kind.CloseSend, stream, 3));
    await this.until(`an answer on stream ${stream}`, () => this.errors.has(stream) || this.messages.has(stream));
  }

  /** Reads nothing more. */
  pause(): void {
    this.socket.pause();
  }

  /** Ends the connection at once, with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #drained(patienceMs: number): Promise<FloodEnd> {
    const { socket } = this;
    return new Promise((resolve) => {
      const settle = (end: FloodEnd): void => {
        clearTimeout(timer);
        socket.off("drain", drained);
        socket.off("close", closed);
        resolve(end);
      };
      const drained = (): void => settle("sent");
      const closed = (): void => settle("ended");
      const timer = setTimeout(() => settle(this.isEnded ? "ended" : "blocked"), patienceMs);
      socket.on("drain", drained);
      socket.on("close", closed);
    });
  }

  #data(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    const reader = this.#reader;
    reader.push(chunk);
    while (reader.next()) {
      if (reader.kind === Kind.Error && reader.frameBytes <= maxErrorBytes) {
        this.#errorBody.push(reader.chunk.slice(reader.start, reader.end));
      }
      if (reader.last) {
        this.#frame(reader);
      }
    }
  }

  #frame({ kind, streamId, done }: FrameReader): void {
    this.counts.set(kind, this.count(kind) + 1);
    const remembered = (map: ReadonlyMap<number, unknown>): boolean =>
      map.size < maxRemembered || map.has(streamId) || streamId === this.#awaited;
    if (kind === Kind.Message && done && remembered(this.messages)) {
      this.messages.set(streamId, (this.messages.get(streamId) ?? 0) + 1);
    }
    if (kind === Kind.Error) {
      const { code, text } = decodeErrorPayload(Buffer.concat(this.#errorBody));
      this.#errorBody = [];
      const shown = text.replace(/\d+/g, "N").slice(0, 120);
      if (this.errorTexts.size < maxRemembered || this.errorTexts.has(shown)) {
        this.errorTexts.set(shown, (this.errorTexts.get(shown) ?? 0) + 1);
      }
      if (remembered(this.errors)) {
        this.errors.set(streamId, { code, text });
      }
    }
  }
}
