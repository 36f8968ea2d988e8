// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Connection } from "@ts-drpc/core";
import { createRouter, type Router } from "../src/rpc/router.js";
import { type ServedConnection, type ServeOptions, serveConnection } from "../src/rpc/serve-connection.js";
import { createSessionTransport, type SessionTransportOptions } from "../src/rpc/session-transport.js";
import type { Transport } from "../src/rpc/transport.js";
import { type ConnectionPairOptions, createConnectionPair } from "../src/testing/connection-pair.js";
import { encodeErrorPayload } from "../src/wire/error-payload.js";
import { encodeFrameHeader, firstByte, maxHeaderBytes } from "../src/wire/frame-header.js";
import { FrameReader } from "../src/wire/frame-reader.js";
import { isControlKind, Kind, kindName } from "../src/wire/kind.js";
import { encodeMetadataPayload } from "../src/wire/metadata-payload.js";

/** A frame as it was on the wire. */
export interface WireFrame {
  readonly kind: number;
  readonly control: boolean;
  readonly done: boolean;
  readonly stream: number;
  readonly message: number;
  readonly data: Uint8Array;
}

const noBytes = new Uint8Array(0);

/** Builds the bytes of one frame. */
export function frame(
  kind: number,
  stream: number,
  message: number,
  data: Uint8Array | string = noBytes,
  { done = true, control = isControlKind(kind) }: { done?: boolean; control?: boolean } = {},
): Uint8Array {
  const body = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const bytes = new Uint8Array(maxHeaderBytes + body.length);
  const at = encodeFrameHeader(firstByte(kind, done, control), stream, message, body.length, bytes, 0);
  bytes.set(body, at);
  return bytes.slice(0, at + body.length);
}

/** Builds the frames that open a call, and returns them as one. */
export function invoke(stream: number, path: string, metadata?: Record<string, string>): Uint8Array {
  if (metadata === undefined) {
    return frame(Kind.Invoke, stream, 1, path);
  }
  const entries = encodeMetadataPayload(Object.entries(metadata));
  return join([frame(Kind.InvokeMetadata, stream, 1, entries), frame(Kind.Invoke, stream, 2, path)]);
}

/** Builds an Error frame. */
export function errorFrame(stream: number, message: number, code: bigint, text: string): Uint8Array {
  return frame(Kind.Error, stream, message, encodeErrorPayload({ code, text }));
}

/** Joins bytes. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Shows a frame in a form that is short to compare: `Message 1/2 done`, with the control flag and the size of its data if any. */
export function show({ kind, control, done, stream, message, data }: WireFrame): string {
  const flags = `${control ? " control" : ""}${done ? "" : " more"}${data.length > 0 ? ` ${data.length}` : ""}`;
  return `${kindName(kind)} ${stream}/${message}${flags}`;
}

/** Reads frames from all bytes that come, whole frames at a time. */
class FrameCollector {
  readonly frames: WireFrame[] = [];
  readonly #reader = new FrameReader();
  #parts: Uint8Array[] = [];

  push(chunk: Uint8Array): void {
    const reader = this.#reader;
    reader.push(chunk);
    while (reader.next()) {
      this.#parts.push(reader.chunk.slice(reader.start, reader.end));
      if (reader.last) {
        const { kind, control, done, streamId, messageId } = reader;
        this.frames.push({ kind, control, done, stream: streamId, message: messageId, data: join(this.#parts) });
        this.#parts = [];
      }
    }
  }
}

/** Returns the frames of bytes. */
export function framesOf(bytes: Uint8Array): WireFrame[] {
  const collector = new FrameCollector();
  collector.push(bytes);
  return collector.frames;
}

/** RawPeer is one end of a connection in the hands of a test: it writes any bytes, and collects the frames that come. */
export class RawPeer {
  /** Resolves when the connection is over. */
  readonly ended: Promise<Error | undefined>;
  isEnded = false;
  readonly #connection: Connection;
  readonly #collector = new FrameCollector();
  readonly #chunks: Uint8Array[] = [];
  #waiting: { readonly met: () => boolean; readonly resolve: () => void; readonly reject: (reason: Error) => void }[] =
    [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.ended = new Promise((resolve) => {
      connection.start({
        data: (chunk) => {
          this.#chunks.push(chunk);
          this.#collector.push(chunk);
          this.#check();
        },
        writable() {},
        end: (reason) => {
          this.isEnded = true;
          this.#check();
          resolve(reason);
        },
      });
    });
  }

  /** All bytes that came. */
  get bytes(): Uint8Array {
    return join(this.#chunks);
  }

  /** All frames that came. */
  get frames(): readonly WireFrame[] {
    return this.#collector.frames;
  }

  /** All frames that came, or those of one stream, in short. */
  shown(stream?: number): string[] {
    return this.frames.filter((each) => stream === undefined || each.stream === stream).map(show);
  }

  /** Writes bytes. */
  write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#connection.write(part);
    }
  }

  /** Waits until something is true of what came, and fails if the connection ends before. */
  until(met: (peer: this) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ met: () => met(this), resolve, reject });
      this.#check();
    });
  }

  /** Waits for a frame, and returns it. */
  async frame(kind: number, stream: number): Promise<WireFrame> {
    const find = (): WireFrame | undefined => this.frames.find((each) => each.kind === kind && each.stream === stream);
    await this.until(() => find() !== undefined);
    return find() as WireFrame;
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  close(): void {
    this.#connection.close();
  }

  abort(): void {
    this.#connection.abort();
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ met, resolve, reject }) => {
      if (met()) {
        resolve();
        return false;
      }
      if (this.isEnded) {
        reject(new Error(`the connection ended first, after ${this.shown().join(", ")}`));
        return false;
      }
      return true;
    });
  }
}

/** A transport of ours, and the raw peers that it dials. */
export interface RawServer {
  readonly transport: Transport;
  readonly peers: RawPeer[];

  /** Waits for a connection to be dialled. */
  peer(index?: number): Promise<RawPeer>;
}

/** Creates a transport of ours whose servers are raw peers. */
export function dialRawServer(
  options: SessionTransportOptions = {},
  pairOptions: ConnectionPairOptions = {},
): RawServer {
  const peers: RawPeer[] = [];
  const waiting: (() => void)[] = [];
  const transport = createSessionTransport(async () => {
    const { client, server } = createConnectionPair(pairOptions);
    peers.push(new RawPeer(server));
    for (const wake of waiting.splice(0)) {
      wake();
    }
    return client;
  }, options);
  return {
    transport,
    peers,
    async peer(index = 0) {
      while (peers.length <= index) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return peers[index] as RawPeer;
    },
  };
}

/** Serves a router of ours to a raw client. */
export function serveRawClient(
  routes: (router: Router) => void,
  options: ServeOptions = {},
  pairOptions: ConnectionPairOptions = {},
): { peer: RawPeer; served: ServedConnection } {
  const router = createRouter();
  routes(router);
  const { client, server } = createConnectionPair(pairOptions);
  const served = serveConnection(server, router, options);
  return { peer: new RawPeer(client), served };
}
