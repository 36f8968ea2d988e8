// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BenchClient, Contender } from "../contender.js";
import { PayloadSchema, SinkResponseSchema, SourceRequestSchema } from "../gen/bench/v1/bench_pb.js";
import { LengthPrefixedWriter, readLengthPrefixed } from "./length-prefixed.js";

/** What a connection is for: its first piece is one of these. */
const modes = { echo: Uint8Array.of(0), source: Uint8Array.of(1), sink: Uint8Array.of(2) };

function encode(body: Uint8Array): Uint8Array {
  return toBinary(PayloadSchema, create(PayloadSchema, { body }));
}

function decode(piece: Uint8Array): Uint8Array {
  return fromBinary(PayloadSchema, piece).body;
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  const writer = new LengthPrefixedWriter(socket);
  let mode: number | undefined;
  let messages = 0;
  readLengthPrefixed(socket, (piece) => {
    if (mode === undefined) {
      mode = piece[0];
    } else if (mode === modes.echo[0]) {
      writer.write(encode(decode(piece)));
    } else if (mode === modes.source[0]) {
      pour(socket, writer, new Uint8Array(fromBinary(SourceRequestSchema, piece).bodyBytes).fill(0x61));
    } else if (piece.length > 0) {
      decode(piece);
      messages++;
    } else {
      writer.write(toBinary(SinkResponseSchema, create(SinkResponseSchema, { messages })));
    }
  });
}

/** Sends messages until the socket is closed, as many as it takes. */
function pour(socket: Socket, writer: LengthPrefixedWriter, body: Uint8Array): void {
  const write = (): void => {
    while (!socket.destroyed && writer.write(encode(body))) {}
    // What is written by now goes out first, so that there is something to drain.
    setImmediate(() => (socket.writableNeedDrain ? socket.once("drain", write) : write()));
  };
  write();
}

// Those who were answered are removed from the list in one go.
const answeredAtMost = 1_024;

/** One socket, on which answers come in the order of their requests. */
class RawSocketClient implements BenchClient {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: ((size: number) => void)[] = [];
  #answered = 0;
  #echo: LengthPrefixedWriter | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  echo(body: Uint8Array): Promise<number> {
    this.#echo ??= this.#open(modes.echo, (piece) => this.#answer(decode(piece).length)).writer;
    this.#echo.write(encode(body));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #answer(size: number): void {
    this.#waiting[this.#answered++]?.(size);
    if (this.#answered === answeredAtMost) {
      this.#waiting.splice(0, this.#answered);
      this.#answered = 0;
    }
  }

  receive(bodyBytes: number, onMessage: (bodyBytes: number) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const { socket, writer } = this.#open(modes.source, (piece) => {
        if (!socket.destroyed && !onMessage(decode(piece).length)) {
          socket.destroy();
          resolve();
        }
      });
      writer.write(toBinary(SourceRequestSchema, create(SourceRequestSchema, { bodyBytes })));
    });
  }

  send(next: () => Uint8Array | undefined): Promise<number> {
    return new Promise((resolve) => {
      const { socket, writer } = this.#open(modes.sink, (piece) => {
        socket.destroy();
        resolve(fromBinary(SinkResponseSchema, piece).messages);
      });
      const write = (): void => {
        for (;;) {
          const body = next();
          if (body === undefined) {
            writer.write(new Uint8Array(0));
            return;
          }
          if (!writer.write(encode(body))) {
            break;
          }
        }
        setImmediate(() => (socket.writableNeedDrain ? socket.once("drain", write) : write()));
      };
      write();
    });
  }

  async pingPong(body: Uint8Array, onAnswer: (bodyBytes: number) => boolean | Promise<boolean>): Promise<void> {
    while (await onAnswer(await this.echo(body))) {}
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  #open(mode: Uint8Array, onPiece: (piece: Uint8Array) => void): { socket: Socket; writer: LengthPrefixedWriter } {
    const socket = net.connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    readLengthPrefixed(socket, onPiece);
    const writer = new LengthPrefixedWriter(socket);
    writer.write(mode);
    return { socket, writer };
  }
}

/** The floor: messages of protobuf-es behind their length, on a bare socket, with one write a turn and no RPC at all. */
export const contender: Contender = {
  async serve(): Promise<number> {
    const server = net.createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },

  connect: (port) => new RawSocketClient(port),
};
