// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { PeerInfo } from "../vocabulary/connection.js";
import { ContextValues } from "../vocabulary/context-values.js";
import type { Metadata } from "../vocabulary/metadata.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import type { Deadline } from "./deadline.js";
import type { HandlerContext } from "./handler.js";
import { decodeEntries } from "./metadata-entries.js";

/** A handler's context. What most handlers never look at is only made when they do. */
export class ServerContext implements HandlerContext {
  readonly method: DescMethod;
  readonly peer: PeerInfo;
  readonly deadline: Deadline | undefined;

  readonly #entries: MetadataEntries;
  #metadata: Metadata | undefined;
  #contextValues: ContextValues | undefined;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;

  constructor(method: DescMethod, peer: PeerInfo, entries: MetadataEntries, deadline: Deadline | undefined) {
    this.method = method;
    this.peer = peer;
    this.#entries = entries;
    this.deadline = deadline;
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

  /** Aborts the signal. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }
}
