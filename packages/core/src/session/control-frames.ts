// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import { decodeErrorPayload, type ErrorPayload } from "../wire/error-payload.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { decodeGoingAway } from "../wire/going-away-payload.js";
import { Kind } from "../wire/kind.js";
import { maxVarintBytes } from "../wire/varint.js";
import { ControlFrameReader } from "./control-frame-reader.js";
import { decodeCredit } from "./flow-control.js";

/** What control frames say of flow control. */
export interface CreditReceiver {
  /** The peer granted credit, for a stream, or for the connection if the id is 0. */
  granted(streamId: number, bytes: number): void;

  /** The peer's next message on this stream costs this much, and waits for credit of the connection. */
  blocked(streamId: number, cost: number): void;

  /** The peer lends credit for one message of this stream: the one with this number, counted from 1. */
  lent(streamId: number, message: number): void;
}

/** What control frames say. */
export interface ControlFrameReceiver {
  readonly credit: CreditReceiver;

  /** A Ping frame came, a question or an answer. */
  pinged(body: Uint8Array): void;

  /** The peer takes no more calls, and does not serve streams above this id. */
  goingAway(lastStreamId: number, error: DrpcError): void;

  /** The peer never started the call on this stream. */
  refused(streamId: number, error: DrpcError): void;
}

const pingBytes = 9;

// As long as the text of an error can be, with its code and a stream id.
const maxTextFrameBytes = 65_536 + maxVarintBytes;

/** Tells whether frames of this kind stand outside the order of message ids. */
export function isOutOfOrderKind(kind: number): boolean {
  return kind === Kind.WindowUpdate || (kind >= Kind.Loan && kind <= Kind.Ping);
}

/**
 * Understands the frames by which two peers talk about their connection
 * (docs/protocol.md#extensions). What is malformed is passed over.
 */
export class ControlFrames {
  readonly #reader = new ControlFrameReader();
  readonly #receiver: ControlFrameReceiver;

  constructor(receiver: ControlFrameReceiver) {
    this.#receiver = receiver;
  }

  /** Takes a fragment of a frame of such a kind. */
  receive(fragment: FrameReader): void {
    const { kind, streamId } = fragment;
    const body = this.#reader.receive(fragment, maxBytes(kind));
    if (body === undefined) {
      return;
    }
    if (isCreditKind(kind)) {
      this.#credit(kind, streamId, decodeCredit(body));
    } else if (kind === Kind.Ping) {
      this.#receiver.pinged(body);
    } else if (kind === Kind.GoingAway) {
      const goingAway = decodeGoingAway(body);
      if (goingAway !== undefined) {
        this.#receiver.goingAway(goingAway.lastStreamId, notStarted(goingAway.error));
      }
    } else {
      this.#receiver.refused(streamId, notStarted(decodeErrorPayload(body)));
    }
  }

  #credit(kind: number, streamId: number, value: number): void {
    const { credit } = this.#receiver;
    if (value === 0) {
      return;
    }
    if (kind === Kind.WindowUpdate) {
      credit.granted(streamId, value);
    } else if (kind === Kind.Blocked) {
      credit.blocked(streamId, value);
    } else {
      credit.lent(streamId, value);
    }
  }
}

/** Tells whether frames of this kind speak of credit. */
export function isCreditKind(kind: number): boolean {
  return kind === Kind.WindowUpdate || kind === Kind.Blocked || kind === Kind.Loan;
}

function maxBytes(kind: number): number {
  return isCreditKind(kind) ? maxVarintBytes : kind === Kind.Ping ? pingBytes : maxTextFrameBytes;
}

function notStarted({ code, text }: ErrorPayload): DrpcError {
  const known = code > 0n && code <= BigInt(Number.MAX_SAFE_INTEGER);
  return new DrpcError(text, known ? Number(code) : Code.Unavailable, { wireCode: code, notStarted: true });
}
