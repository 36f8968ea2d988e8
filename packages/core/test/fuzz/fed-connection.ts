// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isCreditKind } from "../../src/session/control-frames.js";
import type { Connection, ConnectionReceiver } from "../../src/vocabulary/connection.js";
import { Kind } from "../../src/wire/kind.js";
import { concat, encode, type Frame, readFrames } from "../wire/frames.js";

// Fewer suffice for a session to notice what it was told.
const turns = 3;

/** One end of a connection, whose other end is a list of chunks: no sockets, no timers. */
export class FedConnection implements Connection {
  readonly peer = { address: "a fuzzer" };
  readonly #takesBytes: () => boolean;
  #receiver: ConnectionReceiver | undefined;
  #written: Uint8Array[] = [];
  #paused = false;
  #over = false;
  #busy = false;

  /** How often the session was told that the connection is over. */
  ends = 0;

  /** The function says, each time that something was written, whether more may be written at once. */
  constructor(takesBytes: () => boolean = () => true) {
    this.#takesBytes = takesBytes;
  }

  /** True once either side has ended it. */
  get over(): boolean {
    return this.#over;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    this.#written.push(bytes.slice());
    this.#busy ||= !this.#takesBytes();
    return !this.#busy;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  close(): void {
    this.#over = true;
  }

  abort(): void {
    this.#over = true;
  }

  /** Feeds chunks, each in a turn of its own, and calls back behind each. A session that does not read gets no more. */
  async feed(chunks: readonly Uint8Array[], checked: () => void): Promise<void> {
    for (const chunk of chunks) {
      for (let turn = 0; this.#paused && !this.#over && turn < turns; turn++) {
        checked();
        await nextTurn();
      }
      if (this.#over || this.#paused) {
        return;
      }
      this.#receiver?.data(chunk);
      checked();
      await nextTurn();
      this.#takeBytes();
      checked();
    }
  }

  /** Ends the connection, and waits until what follows from that is done. */
  async end(reason?: Error): Promise<void> {
    this.#over = true;
    this.ends++;
    this.#receiver?.end(reason);
    for (let turn = 0; turn < turns; turn++) {
      await nextTurn();
    }
  }

  /** Asserts that all that was written are frames, in the order in which they may come on a stream. */
  assertWellFormed(): void {
    const { read, error } = readFrames(this.#written);
    assert.equal(error, undefined);
    assert.equal(concat(read.map(encode)).length, concat(this.#written).length, "the last frame was cut short");
    const streams = new Map<number, Frame>();
    for (const frame of read) {
      if (!isCreditKind(frame.kind)) {
        assertFollows(frame, streams.get(frame.streamId));
        streams.set(frame.streamId, frame);
      }
    }
  }

  #takeBytes(): void {
    if (this.#busy && !this.#over) {
      this.#busy = false;
      this.#receiver?.writable();
    }
  }
}

function assertFollows(frame: Frame, before: Frame | undefined): void {
  // A peer may use an id again, and is then answered from 1 on.
  if (before === undefined || (frame.messageId === 1 && before.done)) {
    return;
  }
  const shown = `${frame.streamId}: kind ${frame.kind} behind kind ${before.kind}`;
  const ended = before.kind === Kind.Close || before.kind === Kind.Error || before.kind === Kind.Cancel;
  assert.ok(!ended || frame.kind === Kind.Settings, `stream ${shown}`);
  assert.ok(before.kind !== Kind.CloseSend || frame.kind !== Kind.Message, `stream ${shown}`);
  const same = frame.messageId === before.messageId && !before.done && frame.kind === before.kind;
  assert.ok(same || frame.messageId > before.messageId, `stream ${shown}, message ids go back`);
}

/** Waits for the next turn, when all promises that could settle have. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
