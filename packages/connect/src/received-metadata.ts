// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { ConnectError } from "@connectrpc/connect";
import { Code, DrpcError, type Metadata } from "@ts-drpc/core";
import { markAsReceived, toConnectError, toDrpcError } from "./errors.js";
import { appendHeader, appendToHeaders } from "./headers.js";

/** The metadata that the server of a DRPC call sent, as Connect has it. */
export class ReceivedMetadata {
  readonly header: Headers = new Headers();
  readonly trailer: Headers = new Headers();

  /** Resolves when the server's header came, and stays pending if there is none. */
  readonly headerCame: Promise<void>;

  readonly onHeader: (metadata: Metadata) => void;
  readonly onTrailer: (metadata: Metadata) => void = (metadata) => append(this.trailer, metadata);

  constructor() {
    let came: () => void;
    this.headerCame = new Promise((resolve) => {
      came = resolve;
    });
    this.onHeader = (metadata) => {
      append(this.header, metadata);
      came();
    };
  }

  /** Returns what the call failed with, with all metadata that came before. */
  errorOf(reason: unknown): ConnectError {
    const metadata = new Headers(this.header);
    this.trailer.forEach((value, key) => {
      appendHeader(metadata, key, value);
    });
    return markAsReceived(toConnectError(toDrpcError(reason), metadata));
  }
}

function append(headers: Headers, metadata: Metadata): void {
  try {
    appendToHeaders(headers, metadata);
  } catch (reason) {
    const { rawMessage } = DrpcError.from(reason);
    throw new DrpcError(`the server's metadata is none for Connect: ${rawMessage}`, Code.Internal, { cause: reason });
  }
}
