// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import type { DrpcError } from "../vocabulary/drpc-error.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";

/** How to make a {@link SingleMessageReceiver}. */
export interface SingleMessageReceiverInit {
  readonly stream: Pick<Stream, "consume">;

  /**
   * Keeps the message until the stream has ended. Left out, the message is
   * taken as soon as it is there, and what follows does not matter.
   */
  readonly keeper?: Pick<Stream, "keep"> | undefined;

  /** The one message came. */
  received(body: Uint8Array): void;

  /** There will be no message: the peer said why, or, for undefined, just ended. */
  failed(error: DrpcError | undefined): void;

  /**
   * The peer ended the call with an error and without anything before it.
   * Returns what it fails with, or undefined if it does not: it is made again.
   */
  outcome?(error: DrpcError): DrpcError | undefined;

  /** Is told of the server's metadata, if anybody wants to know. */
  readonly metadata?: Pick<Required<StreamReceiver>, "header" | "trailer"> | undefined;

  /** See {@link StreamReceiver}. */
  terminated(cause: DrpcError | undefined): void;
}

/** Receives the one message of a side that sends just one. Further ones are dropped. */
export class SingleMessageReceiver implements StreamReceiver {
  readonly #init: SingleMessageReceiverInit;
  #body: Uint8Array | undefined;
  #header = false;
  #trailer: MetadataEntries | undefined;
  #settled = false;

  constructor(init: SingleMessageReceiverInit) {
    this.#init = init;
  }

  get wantsMessage(): boolean {
    return this.#body === undefined && !this.#settled;
  }

  header(metadata: MetadataEntries): void {
    this.#header = true;
    this.#init.metadata?.header(metadata);
  }

  trailer(metadata: MetadataEntries): void {
    if (this.#settled) {
      this.#init.metadata?.trailer(metadata);
    } else {
      // If it comes with an error after which the call is made again, it is not for the caller.
      this.#trailer = metadata;
    }
  }

  message(body: Uint8Array): void {
    const { stream, keeper } = this.#init;
    if (!this.wantsMessage) {
      stream.consume(body.length);
      return;
    }
    this.#body = body;
    if (keeper === undefined) {
      stream.consume(body.length);
      this.#settle(undefined);
    } else {
      keeper.keep(body.length);
    }
  }

  end(error: DrpcError | undefined): void {
    this.#settle(error);
  }

  terminated(cause: DrpcError | undefined): void {
    this.#init.terminated(cause);
  }

  #settle(error: DrpcError | undefined): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    let outcome = error;
    if (error !== undefined && !this.#header && this.#init.outcome !== undefined) {
      outcome = this.#init.outcome(error);
      if (outcome === undefined) {
        return;
      }
    }
    if (this.#trailer !== undefined) {
      this.#init.metadata?.trailer(this.#trailer);
    }
    if (outcome !== undefined || this.#body === undefined) {
      this.#init.failed(outcome);
    } else {
      this.#init.received(this.#body);
    }
  }
}
