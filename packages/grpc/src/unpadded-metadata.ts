// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { OutgoingHttpHeaders } from "node:http2";
import { Metadata } from "@grpc/grpc-js";

/**
 * Metadata whose bytes travel as gRPC wants them sent, without padding, which
 * grpc-js adds: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
export class UnpaddedMetadata extends Metadata {
  // grpc-js sends copies.
  override clone(): Metadata {
    const copy = new UnpaddedMetadata(this.getOptions());
    copy.merge(this);
    return copy;
  }

  override toHttp2Headers(): OutgoingHttpHeaders {
    const headers = super.toHttp2Headers();
    for (const [key, value] of Object.entries(headers)) {
      if (key.endsWith("-bin")) {
        headers[key] = Array.isArray(value) ? value.map(unpadded) : unpadded(String(value));
      }
    }
    return headers;
  }
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, "");
}
