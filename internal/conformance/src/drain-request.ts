// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/**
 * Sees to it that what a handler of connect-node leaves unread of a request is
 * read and dropped.
 *
 * connect-node reads a request by `for await`, and leaves it when a message is
 * above `readMaxBytes`, say. Node.js then stops reading: over HTTP/1.1 no
 * later request on the connection is heard, and over HTTP/2 a client that
 * still sends is neither read nor told to stop.
 */
export function drainRequest(request: IncomingMessage | Http2ServerRequest): void {
  request[Symbol.asyncIterator] = async function* () {
    try {
      yield* request.iterator({ destroyOnReturn: false });
    } finally {
      request.resume();
    }
  };
}
