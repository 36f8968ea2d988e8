// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection, ConnectionReceiver, PeerInfo } from "../vocabulary/connection.js";
import { flag, object, show } from "../vocabulary/option-values.js";
import { FaultyFlow, type FlowFaults } from "./faulty-flow.js";

/** What goes wrong with a connection. */
export interface ConnectionFaults {
  /** What goes wrong with what this side sends. Defaults to nothing. */
  readonly sent?: FlowFaults | undefined;

  /** What goes wrong with what this side receives. Defaults to nothing. */
  readonly received?: FlowFaults | undefined;

  /** A whole number. The same seed flips the same bits of the same bytes. Defaults to 1. */
  readonly seed?: number | undefined;
}

// As much as sockets take before they say that it is enough.
const highWaterBytes = 65_536;

/**
 * Wraps a connection so that things go wrong on it, to test what becomes of
 * calls then: bytes take their time, come in pieces, or damaged; the
 * connection is cut, or one side stops reading, or grants no credit.
 *
 * Throws a RangeError that names the option if one has a wrong value.
 *
 * @example
 * const transport = createSessionTransport(async () =>
 *   createFaultyConnection(await dial(), { received: { pieceBytes: 1 }, sent: { cutAfterBytes: 10_000 } }),
 * );
 */
export function createFaultyConnection(connection: Connection, faults: ConnectionFaults): Connection {
  object("faults", faults);
  checkFlow("sent", faults.sent);
  checkFlow("received", faults.received);
  whole("seed", faults.seed ?? 1, Number.MIN_SAFE_INTEGER);
  return new FaultyConnection(connection, faults);
}

class FaultyConnection implements Connection {
  readonly endOfTurn?: (callback: () => void) => void;
  readonly #connection: Connection;
  readonly #sent: FaultyFlow;
  readonly #received: FaultyFlow;
  #receiver: ConnectionReceiver | undefined;
  #connectionBusy = false;
  #writerWaits = false;
  #closing = false;
  #cut = false;
  #ended = false;

  constructor(connection: Connection, { sent = {}, received = {}, seed = 1 }: ConnectionFaults) {
    this.#connection = connection;
    if (connection.endOfTurn !== undefined) {
      this.endOfTurn = connection.endOfTurn.bind(connection);
    }
    this.#sent = new FaultyFlow({
      faults: sent,
      seed,
      deliver: (bytes) => {
        this.#connectionBusy = !connection.write(bytes);
      },
      cut: () => {
        connection.close();
        this.#endSoon(cutError(sent));
      },
      stalled: () => undefined,
      drained: () => this.#tellWritable(),
    });
    this.#received = new FaultyFlow({
      faults: received,
      seed: seed + 1,
      deliver: (bytes) => {
        if (!this.#ended) {
          this.#receiver?.data(bytes);
        }
      },
      cut: () => {
        connection.abort();
        this.#endSoon(cutError(received));
      },
      stalled: () => connection.pause(),
      drained: () => undefined,
    });
  }

  get peer(): PeerInfo {
    return this.#connection.peer;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#connection.start({
      data: (chunk) => this.#received.push(chunk),
      writable: () => {
        this.#connectionBusy = false;
        this.#tellWritable();
      },
      end: (reason) => {
        this.#sent.lose();
        if (!this.#cut) {
          this.#received.whenThrough(() => this.#end(reason));
        }
      },
    });
  }

  write(bytes: Uint8Array): boolean {
    this.#sent.push(bytes);
    this.#writerWaits = this.#sent.blocked || this.#connectionBusy || this.#sent.bytesOnTheirWay >= highWaterBytes;
    return !this.#writerWaits;
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    if (!this.#received.blocked) {
      this.#connection.resume();
    }
  }

  close(): void {
    if (!this.#closing && !this.#sent.blocked) {
      this.#closing = true;
      this.#sent.whenThrough(() => this.#connection.close());
    }
  }

  abort(): void {
    this.#sent.lose();
    this.#received.lose();
    this.#connection.abort();
  }

  #tellWritable(): void {
    const room = !this.#connectionBusy && this.#sent.bytesOnTheirWay < highWaterBytes;
    if (this.#writerWaits && room && !this.#sent.blocked && !this.#ended) {
      this.#writerWaits = false;
      this.#receiver?.writable();
    }
  }

  /** Nobody is told in the middle of a write that there is no connection any more. */
  #endSoon(reason: Error): void {
    this.#cut = true;
    setTimeout(() => this.#end(reason), 0);
  }

  #end(reason: Error | undefined): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#sent.lose();
      this.#received.lose();
      this.#receiver?.end(reason);
    }
  }
}

function cutError({ cutAfterBytes }: FlowFaults): Error {
  return new Error(`it was cut after ${cutAfterBytes} bytes, as the option cutAfterBytes says`);
}

function checkFlow(direction: string, faults: FlowFaults = {}): void {
  const {
    latencyMs = 0,
    pieceBytes = 1,
    cutAfterBytes = 0,
    stallAfterBytes = 0,
    flipEveryBytes = 1,
  } = object(direction, faults);
  flag(`${direction}.withholdCredit`, faults.withholdCredit ?? false);
  whole(`${direction}.latencyMs`, latencyMs, 0);
  whole(`${direction}.pieceBytes`, pieceBytes, 1);
  whole(`${direction}.cutAfterBytes`, cutAfterBytes, 0);
  whole(`${direction}.stallAfterBytes`, stallAfterBytes, 0);
  whole(`${direction}.flipEveryBytes`, flipEveryBytes, 1);
}

function whole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} must be a whole number, at least ${least}, got ${show(value)}`);
  }
}
