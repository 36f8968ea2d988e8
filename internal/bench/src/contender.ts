// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** What a case needs of the servers and clients that it runs against. */
export interface Settings {
  /** How many calls are open at once on one connection, at most. */
  readonly maxConcurrentStreams: number;

  /** How many connections are open at once, at most. */
  readonly maxConnections: number;
}

/**
 * A client of one contender, with one connection of its own. Each method makes
 * its call in the way that the contender's own documentation shows.
 */
export interface BenchClient {
  /** Makes a unary call, and resolves with the size of the answer. */
  echo(body: Uint8Array): Promise<number>;

  /** Receives a stream of messages until `onMessage` returns false. */
  receive?(bodyBytes: number, onMessage: (bodyBytes: number) => boolean): Promise<void>;

  /** Sends a stream of the bodies that `next` returns, until that is undefined, and resolves with how many arrived. */
  send?(next: () => Uint8Array | undefined): Promise<number>;

  /** Opens a stream, and sends a message whenever the last has been answered, until `onAnswer` says false. */
  pingPong?(body: Uint8Array, onAnswer: (bodyBytes: number) => boolean | Promise<boolean>): Promise<void>;

  /** Closes the connection. Calls under way fail or are given up. */
  close(): Promise<void>;
}

/** A client of a contender that has streams. */
export type StreamingClient = Required<BenchClient>;

/** Returns the client if it has streams. */
export function withStreams(client: BenchClient): StreamingClient {
  if (client.receive === undefined || client.send === undefined || client.pingPong === undefined) {
    throw new Error("this contender has no streams");
  }
  return client as StreamingClient;
}

/** One of the libraries that are compared. */
export interface Contender {
  /** Starts a server on a free port of the loopback interface, and resolves with the port. */
  serve(settings: Settings): Promise<number>;

  /** Creates a client. It may connect now or when it is first called. */
  connect(port: number, settings: Settings): BenchClient;
}
