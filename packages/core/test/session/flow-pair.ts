// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "@ts-drpc/core";
import { Session } from "../../src/session/session.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";
import { announcementKey } from "../../src/session/settings-exchange.js";
import type { Stream } from "../../src/session/stream.js";
import type { StreamReceiver } from "../../src/session/stream-host.js";
import { type ConnectionPairOptions, createConnectionPair } from "../../src/testing/connection-pair.js";

/** Receives the messages of a stream, and takes them only when the test does. */
export class HoldingReceiver implements StreamReceiver {
  readonly stream: Stream;
  readonly unread: number[] = [];
  wantsMessage = false;
  received = 0;
  terminatedWith: DrpcError | undefined;
  isTerminated = false;
  isEnded = false;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  message(body: Uint8Array): void {
    this.received++;
    this.wantsMessage = false;
    this.unread.push(body.length);
  }

  end(): void {
    this.isEnded = true;
  }

  terminated(cause: DrpcError | undefined): void {
    this.isTerminated = true;
    this.terminatedWith = cause;
  }

  /** Waits for the next message, if none is here. */
  want(): void {
    this.wantsMessage = this.unread.length === 0;
    if (this.wantsMessage) {
      this.stream.messageWanted();
    }
  }

  /** Takes the oldest message. */
  take(): void {
    const bytes = this.unread.shift();
    if (bytes !== undefined) {
      this.stream.consume(bytes);
    }
  }
}

/** Two sessions that know each other. */
export interface FlowPair {
  readonly client: Session;
  readonly server: Session;

  /** What the server received, by stream id. */
  readonly receivers: Map<number, HoldingReceiver>;

  /** Opens a stream on the client. */
  open(): HoldingReceiver;

  /** Waits until something is true, which must come without time passing. Fails if it does not. */
  until(met: () => boolean): Promise<void>;

  end(): void;
}

const call = { path: "/a.B/C", pathBytes: new TextEncoder().encode("/a.B/C"), metadata: [], streamsRequests: true };

/** Lets all that can happen now happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Makes two sessions, and lets them get to know each other by a first call. */
export async function flowPair(options: SessionOptions, pairOptions: ConnectionPairOptions = {}): Promise<FlowPair> {
  const limits = resolveSessionOptions(options);
  const pair = createConnectionPair(pairOptions);
  const receivers = new Map<number, HoldingReceiver>();
  const server: Session = new Session({
    role: "server",
    connection: pair.server,
    limits,
    announces: false,
    listener: {
      invoked(invoke) {
        const stream = server.openAccepted(invoke, (opened) => {
          const receiver = new HoldingReceiver(opened);
          receivers.set(opened.id, receiver);
          return Object.assign(receiver, {
            terminated(cause: DrpcError | undefined) {
              HoldingReceiver.prototype.terminated.call(receiver, cause);
              server.release();
            },
          });
        });
        const announcement = invoke.metadata.find(([key]) => key === announcementKey);
        if (announcement !== undefined) {
          server.answerAnnouncement(announcement[1], stream);
        }
      },
    },
  });
  const client = new Session({ role: "client", connection: pair.client, limits, announces: true, listener: {} });
  const all: FlowPair = {
    client,
    server,
    receivers,
    open() {
      let receiver: HoldingReceiver | undefined;
      client.open(call, (stream) => {
        receiver = new HoldingReceiver(stream);
        return receiver;
      });
      return receiver as unknown as HoldingReceiver;
    },
    async until(met) {
      for (let turns = 0; !met(); turns++) {
        if (turns > 5_000) {
          throw new Error("nothing happens any more");
        }
        await turn();
      }
    },
    end() {
      client.abort(client.ended ?? (new Error("over") as DrpcError));
      server.abort(server.ended ?? (new Error("over") as DrpcError));
    },
  };
  const first = all.open();
  await all.until(() => client.knowsPeer && server.knowsPeer);
  first.stream.close();
  await all.until(() => !client.busy && !server.busy);
  receivers.clear();
  return all;
}
