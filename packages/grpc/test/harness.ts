// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type Server, ServerCredentials } from "@grpc/grpc-js";

/** Opens a server on a free port, and resolves with its address. */
export function listen(
  server: Server,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("localhost:0", credentials, (error, port) => {
      if (error === null) {
        resolve(`localhost:${port}`);
      } else {
        reject(error);
      }
    });
  });
}
