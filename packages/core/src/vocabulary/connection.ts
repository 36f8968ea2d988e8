// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * An ordered flow of bytes in both directions: a socket, a pipe, a WebSocket.
 * Go DRPC calls this a Transport; here that word means what a client calls
 * through.
 *
 * A session owns the connection that it is given. It calls `start` once, and
 * nobody else writes. Where chunks are cut carries no meaning.
 */
export interface Connection {
  /** Who is at the other end, for errors and for handlers: `127.0.0.1:8080`, `/run/echo.sock`. */
  readonly peer: PeerInfo;

  /** Starts to deliver what arrives, and never does so before it returns. */
  start(receiver: ConnectionReceiver): void;

  /**
   * Sends bytes. The connection may keep the array until they are gone, and
   * the caller leaves it as it is.
   *
   * Returns false if the caller should hold back until `writable` is called.
   */
  write(bytes: Uint8Array): boolean;

  /**
   * Calls back when everything that is under way in this turn is done, so that
   * all its frames go out in one write. Left out, the callback is a microtask,
   * which is earlier: others that were queued by then come first, but not what
   * follows from them.
   */
  endOfTurn?(callback: () => void): void;

  /** Stops delivery until `resume`. Bytes that were on their way may still come. */
  pause(): void;

  /** Goes on with delivery. */
  resume(): void;

  /** Ends the connection once all that was written is gone. */
  close(): void;

  /** Ends the connection at once. Bytes that were not sent yet are lost. */
  abort(): void;
}

/** What a session gives to its connection, to be told of what happens there. */
export interface ConnectionReceiver {
  /** Bytes arrived. The receiver may keep the array, and nobody changes it afterwards. */
  data(chunk: Uint8Array): void;

  /** The connection takes more bytes, after a `write` that returned false. */
  writable(): void;

  /**
   * The connection ended, in either direction, and nothing more will come. The
   * reason is missing if the peer ended it in an orderly way. Called once, and
   * also after `close` and `abort`.
   */
  end(reason?: Error): void;
}

/** Who is at the other end of a connection. */
export interface PeerInfo {
  /** An address to show to people, such as `10.0.0.1:40112` or `/run/echo.sock`. */
  readonly address: string;

  /** How the peer proved who it is, where it did: a platform's own object, such as the peer's TLS certificate. */
  readonly authInfo?: unknown;
}
