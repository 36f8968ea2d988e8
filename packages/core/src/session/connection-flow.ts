// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { FrameReader } from "../wire/frame-reader.js";
import { Kind } from "../wire/kind.js";
import type { Settings } from "../wire/settings-payload.js";
import { ConnectionCredit } from "./connection-credit.js";
import type { CreditReceiver } from "./control-frames.js";
import { forkContract, tsDrpcContract } from "./flow-contract.js";
import { encodeCredit } from "./flow-control.js";
import { Loans } from "./loans.js";
import { ReceiveWindows } from "./receive-windows.js";
import type { FlowControlOptions, SessionLimits } from "./session-options.js";
import type { Stream } from "./stream.js";
import type { StreamRegistry } from "./stream-registry.js";

/** How to make a {@link ConnectionFlow}. */
export interface ConnectionFlowInit {
  readonly limits: SessionLimits;

  /** The flow control of the fork. Left out, there is none until the peer turns out to be a ts-drpc peer. */
  readonly fork: FlowControlOptions | undefined;

  readonly streams: StreamRegistry<Stream>;

  /** Sends a frame that speaks of credit, for a stream, or for the connection if the id is 0. */
  readonly send: (kind: number, streamId: number, body: Uint8Array) => void;

  /** Returns how much is held for all streams. */
  readonly heldBytes: () => number;
}

/** ConnectionFlow keeps the books of a connection's flow control, in both directions. */
export class ConnectionFlow implements CreditReceiver {
  readonly windows: ReceiveWindows;
  readonly #init: ConnectionFlowInit;
  readonly #credit = new ConnectionCredit();
  readonly #loans: Loans;
  #peerWindowBytes: number | undefined;
  #limitsConnection = false;

  constructor(init: ConnectionFlowInit) {
    const { limits, fork } = init;
    this.#init = init;
    this.windows = new ReceiveWindows(fork === undefined ? tsDrpcContract(limits) : forkContract(fork));
    this.#loans = new Loans(limits.maxMessageBytes, (id, message) => init.send(Kind.Loan, id, encodeCredit(message)));
    this.#peerWindowBytes = fork?.windowBytes;
  }

  /** The peer's window for a stream, or undefined while it is not known to have one. */
  get peerWindowBytes(): number | undefined {
    return this.#peerWindowBytes;
  }

  /** The peer turned out to be a ts-drpc peer. */
  peerAnswered({ windowBytes, connectionWindowBytes }: Settings): void {
    this.#peerWindowBytes = windowBytes;
    this.#limitsConnection = true;
    if (connectionWindowBytes > 0) {
      this.#credit.limit(connectionWindowBytes, windowBytes);
    }
  }

  /** A fragment of a message came, of whatever stream. */
  received({ start, end, done, last }: FrameReader): void {
    this.windows.received(end - start, done && last);
  }

  /** A receiver took a message, so that the peer may get credit back. */
  consumed(stream: Stream): void {
    if (this.#peerWindowBytes === undefined) {
      return;
    }
    const bytes = stream.takeGrant();
    if (bytes > 0) {
      this.#grant(stream.id, bytes);
    }
    this.returnCredit();
  }

  /** A message of a stream was consumed, and is not held any longer. */
  repaid(stream: Stream): void {
    this.#loans.repaid(stream);
  }

  /** Somebody has begun to wait for a message of a stream. */
  messageWanted(stream: Stream): void {
    this.#loans.messageWanted(stream);
  }

  /** Gives back to the peer what is no longer held for the connection, if it is worth a frame. */
  returnCredit(): void {
    const bytes = this.#limitsConnection ? this.windows.takeGrant(this.#init.heldBytes()) : 0;
    if (bytes > 0) {
      this.#grant(0, bytes);
    }
  }

  granted(streamId: number, bytes: number): void {
    if (streamId !== 0) {
      this.#init.streams.get(streamId)?.credit.grant(bytes);
    } else if (this.#limitsConnection) {
      this.#credit.grant(bytes);
    }
  }

  blocked(streamId: number, cost: number): void {
    const stream = this.#init.streams.get(streamId);
    if (this.#limitsConnection && stream !== undefined) {
      this.#loans.blocked(stream, cost);
    }
  }

  lent(streamId: number, message: number): void {
    // What waits may be a later message than the one for which it was lent.
    if (this.#init.streams.get(streamId)?.sentMessages === message - 1) {
      this.#credit.lent(streamId);
    }
  }

  /** Spends credit of the connection. Returns undefined if there was enough, or a promise that resolves when there is. */
  spend(streamId: number, cost: number): Promise<void> | undefined {
    const admitted = this.#credit.spend(streamId, cost);
    if (admitted !== undefined) {
      this.#init.send(Kind.Blocked, streamId, encodeCredit(cost));
    }
    return admitted;
  }

  /** Takes back credit of the connection for messages that were not sent after all. */
  refund(messages: number, bytes: number): void {
    this.#credit.grant(messages * this.windows.contract.overheadBytes + bytes);
  }

  /** A stream has ended: what it wants to send is not sent. */
  drop(stream: Stream, cause: Error | undefined): void {
    this.#credit.drop(stream.id, cause);
    this.returnCredit();
    this.#loans.ended(stream);
  }

  #grant(streamId: number, bytes: number): void {
    this.#init.send(Kind.WindowUpdate, streamId, encodeCredit(bytes));
  }
}
