// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import type { Connection } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { FrameReader } from "../wire/frame-reader.js";
import { MigrateHeaderReader } from "../wire/migrate-header.js";

/** Why nothing is read for now: what was read waits unread, or what was answered waits unsent. */
export type PauseReason = "unread" | "unsent";

/** What a {@link ConnectionReader} tells its session. */
export interface FragmentReceiver {
  /** The reader stands at a fragment. What this throws ends the connection. */
  fragment(fragment: FrameReader): void;

  /** All that has come so far was read. */
  endOfChunk(): void;

  /** The connection takes bytes again. */
  writable(): void;

  /** The connection is over. It is orderly if the peer ended it, and between two frames. */
  end(error: DrpcError, orderly?: boolean): void;
}

/**
 * Reads frames from a connection, and can be stopped between any two of them.
 * It turns whatever ends the connection into a DrpcError.
 */
export class ConnectionReader {
  /**
   * Counts up with every chunk that comes, and whenever reading goes on: what
   * the peer sent meanwhile is only read then.
   */
  activity = 0;

  readonly #connection: Connection;
  readonly #receiver: FragmentReceiver;
  readonly #frames = new FrameReader();
  readonly #pauses = new Set<PauseReason>();
  #waiting: Uint8Array[] = [];
  #chunks = 0;
  #reading = false;
  #lastRead = false;
  #ended = false;
  #header: MigrateHeaderReader | undefined;
  #firstChunk: Uint8Array | undefined;

  constructor(role: "client" | "server", connection: Connection, receiver: FragmentReceiver) {
    this.#header = role === "server" ? new MigrateHeaderReader() : undefined;
    this.#connection = connection;
    this.#receiver = receiver;
  }

  /** True while nothing is read. */
  get paused(): boolean {
    return this.#pauses.size > 0;
  }

  /** Starts to read. */
  start(): void {
    this.#connection.start({
      data: (chunk) => this.#data(chunk),
      writable: () => this.#receiver.writable(),
      end: (reason) => this.#connectionEnded(reason),
    });
  }

  /** Stops behind the fragment that is being read, until it is resumed for the same reason. */
  pause(reason: PauseReason): void {
    if (this.#lastRead) {
      // What came before the end is at hand anyway, and nothing comes behind it.
      return;
    }
    if (this.#pauses.size === 0) {
      this.#connection.pause();
    }
    this.#pauses.add(reason);
  }

  /** Goes on if it was stopped for this reason and no other. */
  resume(reason: PauseReason): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0 && !this.#ended) {
      // Whoever resumes is in the middle of something, and must not be called back from here.
      queueMicrotask(() => this.#continue());
    }
  }

  /** Stops for ever. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
  }

  #data(chunk: Uint8Array): void {
    if (this.#ended) {
      return;
    }
    this.#firstChunk ??= chunk.subarray(0, 32).slice();
    this.activity++;
    this.#chunks++;
    const bytes = this.#header === undefined ? chunk : this.#header.read(chunk);
    if (bytes === undefined) {
      return;
    }
    this.#header = undefined;
    this.#waiting.push(bytes);
    if (this.#pauses.size === 0 && !this.#reading) {
      this.#read();
    }
  }

  #continue(): void {
    if (this.#pauses.size > 0 || this.#ended) {
      return;
    }
    this.activity++;
    this.#read();
    if (this.#pauses.size === 0 && !this.#ended) {
      this.#connection.resume();
    }
  }

  #read(): void {
    this.#reading = true;
    try {
      this.#readFragments();
      this.#receiver.endOfChunk();
    } catch (reason) {
      this.#fail(reason);
    } finally {
      this.#reading = false;
    }
  }

  #readFragments(): void {
    const frames = this.#frames;
    while (!this.#ended && this.#pauses.size === 0) {
      if (frames.next()) {
        this.#receiver.fragment(frames);
        continue;
      }
      const chunk = this.#waiting.shift();
      if (chunk === undefined) {
        return;
      }
      frames.push(chunk);
    }
  }

  #fail(reason: unknown): void {
    const first = this.#firstChunk === undefined ? "" : `, the first bytes it sent are ${quote(this.#firstChunk)}`;
    // A peer of another protocol is found out by what it says first; later it takes a broken DRPC peer.
    const stranger = this.#chunks <= 1 ? "the peer does not seem to speak DRPC: " : "";
    const text = stranger + (reason instanceof Error ? reason.message : String(reason));
    this.#receiver.end(
      new DrpcError(`protocol error: ${text} (from ${this.#connection.peer.address}${first})`, Code.Internal, {
        cause: reason,
      }),
    );
    this.#connection.abort();
  }

  #connectionEnded(reason: Error | undefined): void {
    if (this.#reading) {
      // Something that a fragment brought about ended the connection at once; the rest of the chunk comes first.
      queueMicrotask(() => this.#connectionEnded(reason));
      return;
    }
    // What was received in full is still delivered, even if it waited for a slow reader.
    this.#lastRead = true;
    this.#pauses.clear();
    if (!this.#ended) {
      this.#read();
    }
    if (this.#ended) {
      return;
    }
    const { address } = this.#connection.peer;
    if (reason instanceof DrpcError) {
      this.#receiver.end(reason);
    } else if (reason !== undefined) {
      const text = `the connection to ${address} was lost: ${reason.message}`;
      this.#receiver.end(new DrpcError(text, Code.Unavailable, { cause: reason }));
    } else {
      const where = this.#frames.insideFrame ? ", in the middle of a frame" : "";
      this.#receiver.end(
        new DrpcError(`the connection to ${address} was closed by the peer${where}`, Code.Unavailable),
        !this.#frames.insideFrame,
      );
    }
  }
}

/** Shows bytes as people read them: a peer that speaks HTTP, say, is recognised at a glance. */
function quote(bytes: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...bytes));
}
