// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PushStream } from "@ts-drpc/core";
import type { DemoServiceClient } from "./gen/demo/v1/demo_drpc.js";
import { Latency } from "./latency.js";

const pieceBytes = 65_536;

/** What a transfer moved, and how long it took. */
export interface Transfer {
  readonly bytes: number;
  readonly seconds: number;
  readonly sha256: string;
}

/** Sends a file by client streaming, and returns what the server says that it got. */
export async function upload(
  client: DemoServiceClient,
  path: string,
  name: string,
  progress: (bytes: number) => void,
): Promise<Transfer> {
  async function* pieces(): AsyncGenerator<{ name?: string; data: Uint8Array }> {
    yield { name, data: new Uint8Array(0) };
    for await (const data of createReadStream(path, { highWaterMark: pieceBytes })) {
      yield { data };
      progress(data.length);
    }
  }
  const start = performance.now();
  const { bytes, sha256 } = await client.upload(pieces());
  return { bytes: Number(bytes), seconds: secondsSince(start), sha256: Buffer.from(sha256).toString("hex") };
}

/** Receives a file by server streaming. */
export async function download(
  client: DemoServiceClient,
  name: string,
  progress: (bytes: number) => void,
): Promise<Transfer> {
  const start = performance.now();
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const { data } of client.download({ name })) {
    hash.update(data);
    bytes += data.length;
    progress(data.length);
  }
  return { bytes, seconds: secondsSince(start), sha256: hash.digest("hex") };
}

/** Makes unary calls, some at once, for as long as it is told, and checks every answer. */
export async function pingWhile(
  client: DemoServiceClient,
  goesOn: (count: number) => boolean,
  progress: () => void,
): Promise<Latency> {
  const latency = new Latency();
  let next = 0;
  const pinger = async (): Promise<void> => {
    while (goesOn(latency.count)) {
      const number = BigInt(next++);
      const answer = await latency.time(() => client.ping({ number }));
      if (answer.number !== number) {
        throw new Error(`ping ${number} came back as ${answer.number}`);
      }
      progress();
    }
  };
  await Promise.all(Array.from({ length: 4 }, pinger));
  return latency;
}

/**
 * Holds a conversation for as long as it is told: says a line, and the next one
 * when it was answered. Checks every answer, and returns the number of lines.
 */
export async function converse(
  client: DemoServiceClient,
  topic: string,
  goesOn: () => boolean,
  progress: () => void,
): Promise<number> {
  const lines = new PushStream<{ text: string }>();
  const answers = client.converse(lines)[Symbol.asyncIterator]();
  let count = 0;
  for (; goesOn(); count++) {
    const text = `${topic}, line ${count}`;
    await lines.send({ text });
    const answer = await answers.next();
    if (answer.done === true || answer.value.text !== text.toUpperCase()) {
      throw new Error(`the answer to ${JSON.stringify(text)} was ${JSON.stringify(answer.value)}`);
    }
    progress();
  }
  lines.close();
  if ((await answers.next()).done !== true) {
    throw new Error(`${topic}: there were more answers than lines`);
  }
  return count;
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1_000;
}
