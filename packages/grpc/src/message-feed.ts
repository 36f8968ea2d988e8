// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Readable } from "node:stream";

// Up to here the peer goes on while the reader does not.
const windowBytes = 256 * 1024;
const messageOverheadBytes = 64;

/** Takes messages from a stream of grpc-js, and holds the peer back while too much of them is unread. */
export class MessageFeed {
  readonly #readable: Readable;
  #unreadBytes = 0;
  #paused = false;

  constructor(readable: Readable, received: (body: Uint8Array) => void) {
    this.#readable = readable;
    readable.on("data", (body: Uint8Array) => {
      this.#unreadBytes += body.length + messageOverheadBytes;
      if (this.#unreadBytes > windowBytes) {
        this.#paused = true;
        readable.pause();
      }
      received(body);
    });
  }

  /** A message of this length has been read. */
  consume(bytes: number): void {
    this.#unreadBytes -= bytes + messageOverheadBytes;
    if (this.#paused && this.#unreadBytes <= windowBytes) {
      this.#paused = false;
      this.#readable.resume();
    }
  }
}
