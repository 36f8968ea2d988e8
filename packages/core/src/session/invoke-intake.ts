// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { FrameReader } from "../wire/frame-reader.js";
import { Kind, kindName } from "../wire/kind.js";
import { decodeMetadataPayload, type MetadataEntries } from "../wire/metadata-payload.js";
import { PacketAssembler, PacketTooLargeError } from "../wire/packet-assembler.js";
import { ProtocolError } from "../wire/protocol-error.js";
import { decodeName } from "../wire/text.js";
import type { SessionLimits } from "./session-options.js";

/** A call as its caller announced it. */
export interface Invoke {
  readonly streamId: number;
  readonly path: string;
  readonly metadata: MetadataEntries;

  /** Goes on to assemble the packets of the stream. */
  readonly assembler: PacketAssembler;
}

/** What the intake needs of its session. */
export interface IntakeHost {
  readonly limits: SessionLimits;

  /** Says why no further call can be taken now, or undefined if one can. */
  refusal(): DrpcError | undefined;

  /** A call is announced in full. */
  accept(invoke: Invoke): void;

  /** A call will not be accepted, and its caller is told why. */
  refuse(streamId: number, error: DrpcError): void;

  /** More or less memory is held for calls that are being announced. */
  buffered(change: number): void;

  /** Says that more memory is held than the connection may take, or undefined if it is not. */
  overBudget(): DrpcError | undefined;
}

interface HalfOpen {
  readonly assembler: PacketAssembler;

  /** When it began, if it is kept. */
  since: number;
  metadata: MetadataEntries;
  metadataBytes: number;

  /** The memory that the host was told of. */
  accountedBytes: number;
}

const noEntries: MetadataEntries = [];

// Enough for every call that a peer may have in flight when the limit is met; beyond that it floods, and is told once more.
const maxRemembered = 4_096;

/**
 * Takes in the calls that a peer opens: the metadata, if there is any, and the
 * path. A call counts from its first byte, so that calls that are never
 * announced in full are bounded in number and in time.
 */
export class InvokeIntake {
  readonly #host: IntakeHost;
  readonly #halfOpen = new Map<number, HalfOpen>();
  readonly #refused = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: IntakeHost) {
    this.#host = host;
  }

  /** How many calls are being announced. */
  get size(): number {
    return this.#halfOpen.size;
  }

  /** Takes a fragment of a stream that is not open yet. Throws a ProtocolError if the connection cannot go on. */
  receive(fragment: FrameReader): void {
    const { streamId } = fragment;
    if (streamId === 0) {
      throw new ProtocolError("stream id 0 cannot be opened");
    }
    if (this.#refused.has(streamId)) {
      this.#forgetRefused(fragment);
      return;
    }
    let call = this.#halfOpen.get(streamId);
    if (call === undefined) {
      if (!fragment.first) {
        // The rest of a frame of a stream that has ended, or of a call that was given up, opens nothing.
        return;
      }
      const refusal = this.#host.refusal();
      if (refusal !== undefined) {
        this.#refuse(fragment, refusal);
        return;
      }
      call = { assembler: new PacketAssembler(), since: 0, metadata: noEntries, metadataBytes: 0, accountedBytes: 0 };
    }
    try {
      this.#assemble(call, fragment);
    } catch (reason) {
      if (!(reason instanceof PacketTooLargeError)) {
        throw reason;
      }
      this.#drop(streamId);
      const { bytes, maxBytes, kind } = reason;
      const text = `${kindName(kind)} of at least ${bytes} bytes, the limit maxMetadataBytes is ${maxBytes}: raise it on the server, or send less`;
      this.#refuse(fragment, new DrpcError(text, Code.ResourceExhausted, { notStarted: true }));
    }
  }

  /** The peer gave up a call before it was announced in full. */
  abandon(streamId: number): void {
    this.#refused.delete(streamId);
    this.#drop(streamId);
  }

  /** All that has come so far was read. Only calls that are then still incomplete need a timer. */
  endOfChunk(): void {
    if (this.#halfOpen.size > 0) {
      this.#timer ??= this.#schedule();
    } else if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** The session is over. */
  end(): void {
    clearTimeout(this.#timer);
    for (const streamId of this.#halfOpen.keys()) {
      this.#drop(streamId);
    }
  }

  #assemble(call: HalfOpen, fragment: FrameReader): void {
    const { streamId, kind } = fragment;
    const body = call.assembler.accept(fragment, this.#host.limits.maxMetadataBytes);
    if (body !== undefined && kind === Kind.Invoke) {
      // Most calls are announced in one frame, and were never kept.
      this.#drop(streamId);
      this.#host.accept({ streamId, path: decodeName(body), metadata: call.metadata, assembler: call.assembler });
      return;
    }
    if (call.since === 0) {
      call.since = Date.now();
      this.#halfOpen.set(streamId, call);
    }
    this.#account(call);
    const overBudget = this.#host.overBudget();
    if (overBudget !== undefined) {
      this.#drop(streamId);
      this.#refuse(fragment, overBudget);
      return;
    }
    if (body !== undefined) {
      this.#takeMetadata(call, fragment, body);
    }
  }

  #takeMetadata(call: HalfOpen, fragment: FrameReader, body: Uint8Array): void {
    const { maxMetadataKeys } = this.#host.limits;
    const metadata = decodeMetadataPayload(body);
    if (metadata.length > maxMetadataKeys) {
      this.#drop(fragment.streamId);
      const text = `metadata of ${metadata.length} entries, the limit maxMetadataKeys is ${maxMetadataKeys}: raise it on the server, or send fewer`;
      this.#refuse(fragment, new DrpcError(text, Code.ResourceExhausted, { notStarted: true }));
      return;
    }
    call.metadata = metadata;
    call.metadataBytes = body.length;
    this.#account(call);
  }

  /** Tells the host how much more or less memory a call takes than before. */
  #account(call: HalfOpen): void {
    const bytes = call.assembler.heldBytes + call.metadataBytes;
    this.#host.buffered(bytes - call.accountedBytes);
    call.accountedBytes = bytes;
  }

  /** Forgets a call, and the memory that it took. */
  #drop(streamId: number): void {
    const call = this.#halfOpen.get(streamId);
    if (call !== undefined) {
      this.#host.buffered(-call.accountedBytes);
      this.#halfOpen.delete(streamId);
    }
  }

  #refuse(fragment: FrameReader, error: DrpcError): void {
    this.#rememberRefused(fragment.streamId);
    this.#forgetRefused(fragment);
    this.#host.refuse(fragment.streamId, error);
  }

  /** The rest of the announcement is still to come, and must not look like another call. */
  #rememberRefused(streamId: number): void {
    if (this.#refused.size >= maxRemembered) {
      this.#refused.delete(this.#refused.values().next().value as number);
    }
    this.#refused.add(streamId);
  }

  #forgetRefused(fragment: FrameReader): void {
    if (fragment.kind === Kind.Invoke && fragment.done && fragment.last) {
      this.#refused.delete(fragment.streamId);
    }
  }

  #schedule(): ReturnType<typeof setTimeout> {
    const { invokeTimeoutMs } = this.#host.limits;
    // Calls are kept in the order in which they began.
    const oldest = this.#halfOpen.values().next().value as HalfOpen;
    const waitMs = Math.max(1, oldest.since + invokeTimeoutMs - Date.now());
    return setTimeout(() => this.#expire(), Math.min(waitMs, invokeTimeoutMs));
  }

  #expire(): void {
    const { invokeTimeoutMs } = this.#host.limits;
    this.#timer = undefined;
    const now = Date.now();
    for (const [streamId, call] of this.#halfOpen) {
      if (now - call.since >= invokeTimeoutMs) {
        this.#drop(streamId);
        this.#rememberRefused(streamId);
        const text = `the call was not announced in full within invokeTimeoutMs, ${invokeTimeoutMs} ms`;
        this.#host.refuse(streamId, new DrpcError(text, Code.DeadlineExceeded, { notStarted: true }));
      }
    }
    this.endOfChunk();
  }
}
