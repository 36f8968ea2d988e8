// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import net from "node:net";
import tls from "node:tls";
import { MigrateHeaderReader } from "@ts-drpc/core";

/**
 * Creates a server of TLS connections, with or without the migrate header
 * before the handshake (docs/protocol.md#connection). The server that is
 * returned says `tlsClientError` of a handshake that failed, and leaves the
 * socket open, as that of Node does when it took too long.
 */
export function createTlsListener(
  options: tls.TlsOptions,
  handshakeTimeoutMs: number,
  accept: (socket: net.Socket) => void,
): net.Server {
  const secured = tls.createServer({ handshakeTimeout: handshakeTimeoutMs, ...options }, accept);
  const listener = net.createServer((socket) => {
    const timer = setTimeout(() => failed(new Error("TLS handshake timeout")), handshakeTimeoutMs);
    const failed = (reason: Error): void => {
      clearTimeout(timer);
      listener.emit("tlsClientError", reason, socket);
    };
    socket.once("error", failed);
    takeHeader(socket, () => {
      clearTimeout(timer);
      socket.off("error", failed);
      secured.emit("connection", socket);
    });
    socket.once("close", () => clearTimeout(timer));
  });
  secured.on("tlsClientError", (reason, socket) => listener.emit("tlsClientError", reason, socket));
  return listener;
}

/** Reads the header, if it is there, and calls back when it is clear what comes behind it, which stays unread. */
function takeHeader(socket: net.Socket, taken: () => void): void {
  const header = new MigrateHeaderReader();
  const read = (): void => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      const rest = header.read(chunk);
      if (rest !== undefined) {
        socket.off("readable", read);
        if (rest.length > 0) {
          socket.unshift(rest);
        }
        taken();
        return;
      }
    }
  };
  socket.on("readable", read);
}
