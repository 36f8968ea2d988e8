// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { SessionLimits } from "./session-options.js";

/** What liveness is judged by, and what follows from the judgement. */
export interface LivenessHost {
  /** What the peer sends. While nothing is read, its silence means nothing. */
  readonly reader: { readonly activity: number; readonly paused: boolean };

  /** What the peer takes. */
  readonly writer: { readonly progress: number; readonly busy: boolean; readonly idle: boolean };

  readonly address: string;

  /** True while there are calls. */
  readonly busy: () => boolean;

  /** Asks the peer for a sign of life, and returns false if it is not known to answer. */
  readonly ping: () => boolean;

  /** Sends something that no peer has to answer: if it is gone, that fails. */
  readonly probe: () => void;

  /** The peer is gone. */
  readonly dead: (error: DrpcError) => void;

  /** There was no call for `idleTimeoutMs`. */
  readonly idle: () => void;

  /** Ends the streams on which something has been incomplete since before this tick. */
  readonly endIncomplete: (beforeTick: number) => void;
}

// Of a thousand connections that were made at once, not all should be asked at once.
const jitter = 0.1;

/**
 * Liveness notices what no frame tells: a peer that is gone, or takes nothing,
 * or leaves a message half sent, and a connection that nobody uses. It looks from
 * time to time, so that nothing has to be noted when bytes come and go.
 */
export class Liveness {
  readonly #host: LivenessHost;
  readonly #limits: SessionLimits;
  readonly #idleTimeoutMs: number;
  readonly #tickMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #ticks = 1;
  #activity = -1;
  #progress = -1;
  #stuckTicks = 0;
  #idleTicks = 0;

  constructor(host: LivenessHost, limits: SessionLimits, idleTimeoutMs: number = Number.POSITIVE_INFINITY) {
    this.#host = host;
    this.#limits = limits;
    this.#idleTimeoutMs = idleTimeoutMs;
    const { keepaliveMs, stallTimeoutMs, messageTimeoutMs } = limits;
    // Silence is noticed after one whole tick, so within two.
    const shortestMs = Math.min(keepaliveMs / 2, stallTimeoutMs / 4, messageTimeoutMs / 4, idleTimeoutMs / 4);
    this.#tickMs = Math.max(1, shortestMs * (1 - jitter * Math.random()));
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    doNotHold(this.#timer);
  }

  /**
   * Counts the looks at a connection that is read, from 1. It dates what began
   * since the last one: what waits here unread does not grow older.
   */
  get ticks(): number {
    return this.#ticks;
  }

  /** The session is over. */
  end(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#pingTimer);
  }

  #tick(): void {
    const host = this.#host;
    if (!host.reader.paused) {
      this.#ticks++;
    }
    this.#checkPeer();
    const { progress, busy } = host.writer;
    this.#stuckTicks = busy && progress === this.#progress ? this.#stuckTicks + 1 : 0;
    this.#progress = progress;
    this.#idleTicks = host.busy() ? 0 : this.#idleTicks + 1;
    host.endIncomplete(this.#ticks - this.#limits.messageTimeoutMs / this.#tickMs);
    const { stallTimeoutMs } = this.#limits;
    if (this.#stuckTicks * this.#tickMs >= stallTimeoutMs) {
      const text = `the peer ${host.address} took nothing for stallTimeoutMs, ${stallTimeoutMs} ms`;
      host.dead(new DrpcError(text, Code.Unavailable));
    } else if (this.#idleTicks * this.#tickMs >= this.#idleTimeoutMs) {
      host.idle();
    }
  }

  #checkPeer(): void {
    const host = this.#host;
    const { reader, writer } = host;
    const silent = reader.activity === this.#activity;
    this.#activity = reader.activity;
    if (!silent || !host.busy()) {
      return;
    }
    if (reader.paused) {
      // While nothing is read, nothing tells that the connection was reset. What is being sent does, if anything is.
      if (writer.idle) {
        host.probe();
      }
      return;
    }
    if (this.#pingTimer !== undefined || !host.ping()) {
      return;
    }
    this.#awaitSign();
  }

  #awaitSign(): void {
    const { reader, writer } = this.#host;
    const { activity } = reader;
    // What the question waits behind, if a slow line still carries that: then that it does so is a sign, too.
    const ahead = writer.busy ? writer.progress : undefined;
    this.#wait(this.#limits.keepaliveTimeoutMs, () => {
      // If this process was busy until now, the answer may lie there unread: what has come is read before the next timer.
      this.#wait(1, () => this.#judge(activity, ahead));
    });
  }

  #judge(activity: number, ahead: number | undefined): void {
    const { reader, writer, address, dead } = this.#host;
    if (reader.activity !== activity || reader.paused) {
      return;
    }
    if (ahead !== undefined && ahead !== writer.progress) {
      this.#awaitSign();
    } else {
      const { keepaliveTimeoutMs } = this.#limits;
      const text = `the peer ${address} gave no sign of life within keepaliveTimeoutMs, ${keepaliveTimeoutMs} ms`;
      dead(new DrpcError(text, Code.Unavailable));
    }
  }

  #wait(ms: number, over: () => void): void {
    this.#pingTimer = setTimeout(() => {
      this.#pingTimer = undefined;
      over();
    }, ms);
    doNotHold(this.#pingTimer);
  }
}

/** Lets a process end in which nothing else happens any more, on platforms where a timer would keep it. */
function doNotHold(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
