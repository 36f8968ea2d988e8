// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { DrpcError } from "../vocabulary/drpc-error.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import type { ClientCallInit } from "./client-call.js";
import { decodeEntries } from "./metadata-entries.js";

/** Tells a caller of the server's metadata. What the caller's functions throw goes to `failed`. */
export class ResponseMetadataTeller {
  readonly #init: ClientCallInit;
  readonly #failed: (error: DrpcError) => void;

  constructor(init: ClientCallInit, failed: (error: DrpcError) => void) {
    this.#init = init;
    this.#failed = failed;
  }

  /** It came ahead of the responses. */
  header(entries: MetadataEntries): void {
    this.#tell(this.#init.onHeader, entries);
  }

  /** It came behind the responses. */
  trailer(entries: MetadataEntries): void {
    this.#tell(this.#init.onTrailer, entries);
  }

  #tell(callback: ClientCallInit["onHeader"], entries: MetadataEntries): void {
    if (callback === undefined || entries.length === 0) {
      return;
    }
    try {
      callback(decodeEntries(entries));
    } catch (reason) {
      this.#failed(DrpcError.from(reason));
    }
  }
}

/** Returns what tells a caller of the server's metadata, or undefined if it does not want to know. */
export function responseMetadataTeller(
  init: ClientCallInit,
  failed: (error: DrpcError) => void,
): ResponseMetadataTeller | undefined {
  return init.onHeader === undefined && init.onTrailer === undefined
    ? undefined
    : new ResponseMetadataTeller(init, failed);
}
