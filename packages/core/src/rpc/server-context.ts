// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { PeerInfo } from "../vocabulary/connection.js";
import { ContextValues } from "../vocabulary/context-values.js";
import { Metadata } from "../vocabulary/metadata.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import type { Deadline } from "./deadline.js";
import type { HandlerContext } from "./handler.js";
import { decodeEntries, encodeEntries } from "./metadata-entries.js";

/** A handler's context. What most handlers never look at is only made when they do. */
export class ServerContext implements HandlerContext {
  readonly method: DescMethod;
  readonly peer: PeerInfo;
  readonly deadline: Deadline | undefined;

  readonly #entries: MetadataEntries;
  #metadata: Metadata | undefined;
  #contextValues: ContextValues | undefined;
  #responseHeader: Metadata | undefined;
  #responseTrailer: Metadata | undefined;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;

  /** The context values are the protocol's, if it has some. */
  constructor(
    method: DescMethod,
    peer: PeerInfo,
    entries: MetadataEntries,
    deadline: Deadline | undefined,
    contextValues?: ContextValues | undefined,
  ) {
    this.method = method;
    this.peer = peer;
    this.#entries = entries;
    this.deadline = deadline;
    this.#contextValues = contextValues;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get metadata(): Metadata {
    this.#metadata ??= decodeEntries(this.#entries);
    return this.#metadata;
  }

  get contextValues(): ContextValues {
    this.#contextValues ??= new ContextValues();
    return this.#contextValues;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) {
        this.#controller.abort(this.#abortReason);
      }
    }
    return this.#controller.signal;
  }

  get responseHeader(): Metadata {
    this.#responseHeader ??= new Metadata();
    return this.#responseHeader;
  }

  get responseTrailer(): Metadata {
    this.#responseTrailer ??= new Metadata();
    return this.#responseTrailer;
  }

  /** The entries of `responseHeader`, as they travel. */
  get headerEntries(): MetadataEntries {
    return encodeEntries(this.#responseHeader, undefined, true);
  }

  /** The entries of `responseTrailer`, as they travel. */
  get trailerEntries(): MetadataEntries {
    return encodeEntries(this.#responseTrailer, undefined, true);
  }

  /** Aborts the signal. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }
}
