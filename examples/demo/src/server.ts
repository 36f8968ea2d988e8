// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, DrpcError } from "@ts-drpc/core";
import { createNodeServer, type NodeServer } from "@ts-drpc/node";
import { type DemoServiceHandler, registerDemoService } from "./gen/demo/v1/demo_drpc.js";
import type { DownloadRequest, FilePiece, Line, PingRequest } from "./gen/demo/v1/demo_pb.js";

const pieceBytes = 65_536;

/** Keeps uploaded files in a directory of its own. */
class DemoHandler implements DemoServiceHandler {
  readonly #directory: string;
  readonly #files = new Map<string, string>();
  server: NodeServer | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  ping({ number }: PingRequest): { number: bigint } {
    return { number };
  }

  async upload(pieces: AsyncIterable<FilePiece>): Promise<{ bytes: bigint; sha256: Uint8Array }> {
    const path = join(this.#directory, `upload-${this.#files.size}`);
    await using file = await open(path, "w");
    const hash = createHash("sha256");
    let name = "";
    let bytes = 0;
    for await (const piece of pieces) {
      name ||= piece.name;
      hash.update(piece.data);
      bytes += piece.data.length;
      await file.write(piece.data);
    }
    if (name === "") {
      throw new DrpcError("the first piece has no name", Code.InvalidArgument);
    }
    this.#files.set(name, path);
    return { bytes: BigInt(bytes), sha256: hash.digest() };
  }

  async *download({ name }: DownloadRequest): AsyncGenerator<{ data: Uint8Array }> {
    const path = this.#files.get(name);
    if (path === undefined) {
      throw new DrpcError(`there is no file ${name}`, Code.NotFound);
    }
    for await (const data of createReadStream(path, { highWaterMark: pieceBytes })) {
      yield { data };
    }
  }

  async *converse(lines: AsyncIterable<Line>): AsyncGenerator<{ text: string }> {
    for await (const { text } of lines) {
      yield { text: text.toUpperCase() };
    }
  }

  inspect(): { connections: number; rssBytes: bigint } {
    return { connections: this.server?.connectionCount ?? 0, rssBytes: BigInt(process.memoryUsage.rss()) };
  }
}

const directory = await mkdtemp(join(tmpdir(), "ts-drpc-demo-"));
const handler = new DemoHandler(directory);
const server = createNodeServer({ routes: (router) => registerDemoService(router, handler) });
handler.server = server;
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port });

process.once("disconnect", async () => {
  await server.close({ drainMs: 1_000 });
  await rm(directory, { recursive: true });
});
