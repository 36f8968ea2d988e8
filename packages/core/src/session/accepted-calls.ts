// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { type ErrorFormat, encodeErrorPayload } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { Kind } from "../wire/kind.js";
import { type IntakeHost, type Invoke, InvokeIntake } from "./invoke-intake.js";
import type { ReceiveBudget } from "./receive-budget.js";
import { ResetLimit } from "./reset-limit.js";
import type { SessionLimits } from "./session-options.js";

/** What the accepted calls need of their session. */
export interface AcceptedCallsHost {
  readonly limits: SessionLimits;

  /** How errors are sent. */
  readonly errorFormat: ErrorFormat;

  /** Why no more calls are taken, or undefined if they are. */
  readonly draining: DrpcError | undefined;

  /** True once the peer has turned out to be a ts-drpc peer, which knows what a Refused frame is. */
  readonly knowsPeer: boolean;

  sendPacket(kind: number, streamId: number, messageId: number, body: Uint8Array): void;

  /** A call was announced in full and there is room for it. */
  invoked(invoke: Invoke): void;

  /** What is held for all streams. */
  readonly budget: ReceiveBudget;

  /** The peer does what cannot be put up with. */
  close(reason: DrpcError): void;
}

/**
 * AcceptedCalls counts the calls that a server has taken, lets in as many as
 * may be at once, and refuses the others.
 */
export class AcceptedCalls implements IntakeHost {
  readonly limits: SessionLimits;
  readonly #host: AcceptedCallsHost;
  readonly #intake: InvokeIntake;
  readonly #resets: ResetLimit;
  #count = 0;
  #highestStreamId = 0;

  constructor(host: AcceptedCallsHost) {
    this.limits = host.limits;
    this.#host = host;
    this.#intake = new InvokeIntake(this);
    this.#resets = new ResetLimit(host.limits.maxResetsPerSecond);
  }

  /** How many are not over: their stream has not ended, or their handler has not settled. */
  get count(): number {
    return this.#count;
  }

  /** How many are being announced. */
  get halfOpenCount(): number {
    return this.#intake.size;
  }

  /** The highest id of a stream that was accepted or refused. */
  get highestStreamId(): number {
    return this.#highestStreamId;
  }

  /** Takes a fragment of an announcement. Throws a ProtocolError if the connection cannot go on. */
  receive(fragment: FrameReader): void {
    this.#intake.receive(fragment);
  }

  /** A packet came for a stream that does not exist: it may be one that was not announced in full, and is given up. */
  passedOver({ kind, streamId }: FrameReader): void {
    if (kind === Kind.Cancel || kind === Kind.Close) {
      this.#intake.abandon(streamId);
    }
  }

  /** All that has come so far was read. */
  endOfChunk(): void {
    this.#intake.endOfChunk();
  }

  /** A call takes a place. */
  take(): void {
    this.#count++;
  }

  /** A place is free. */
  release(): void {
    this.#count--;
  }

  /** A call came to nothing, and it was the peer's doing. */
  reset(): void {
    const tooMany = this.#resets.count();
    if (tooMany !== undefined) {
      this.#host.close(tooMany);
    }
  }

  /** The session is over. */
  end(): void {
    this.#intake.end();
  }

  refusal(): DrpcError | undefined {
    const { draining } = this.#host;
    const { maxConcurrentStreams } = this.limits;
    if (draining !== undefined || this.#count + this.#intake.size < maxConcurrentStreams) {
      return draining;
    }
    const text = `too many concurrent streams: the limit maxConcurrentStreams is ${maxConcurrentStreams}: raise it on the server, or make fewer calls at once`;
    return new DrpcError(text, Code.ResourceExhausted);
  }

  accept(invoke: Invoke): void {
    const { draining } = this.#host;
    if (draining !== undefined) {
      this.refuse(invoke.streamId, draining);
      return;
    }
    this.#highestStreamId = Math.max(this.#highestStreamId, invoke.streamId);
    this.#host.invoked(invoke);
  }

  refuse(streamId: number, error: DrpcError): void {
    this.#highestStreamId = Math.max(this.#highestStreamId, streamId);
    const payload = { code: error.wireCode, text: error.rawMessage };
    if (this.#host.knowsPeer) {
      this.#host.sendPacket(Kind.Refused, streamId, 0, encodeErrorPayload(payload));
    } else {
      this.#host.sendPacket(Kind.Error, streamId, 1, encodeErrorPayload(payload, this.#host.errorFormat));
    }
    this.reset();
  }

  buffered(change: number): void {
    this.#host.budget.add(change);
  }

  overBudget(): DrpcError | undefined {
    return this.#host.budget.exceeded();
  }
}
