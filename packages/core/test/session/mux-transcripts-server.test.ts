// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServeOptions } from "@ts-drpc/core";
import { gopeer, toHex } from "@ts-drpc-internal/fixtures";
import { decodeErrorPayload } from "../../src/wire/error-payload.js";
import { Kind } from "../../src/wire/kind.js";
import { GoldenEcho } from "../golden-echo.js";
import { answersOf, byStream, bytesOf, type MuxTranscript, muxTranscripts } from "../mux-transcripts.js";
import { serveRawClient, type WireFrame } from "../raw-peer.js";

// What the Go server was told too. Its limits have texts of their own, and ours of a stream has a code.
const limits: Record<string, ServeOptions> = {
  max_streams: { maxConcurrentStreams: 1 },
  too_large: { maxMessageBytes: 8_000 },
};

for (const transcript of muxTranscripts()) {
  const { scenario } = transcript;

  test(`our server answers the recorded Go client that multiplexes as Go does: ${scenario}`, async () => {
    await replay(transcript, (bytes) => [bytes]);
  });

  if (bytesOf(transcript, "client").length < 20_000) {
    test(`our server answers the recorded Go client that multiplexes when each byte comes alone: ${scenario}`, async () => {
      await replay(transcript, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)));
    });
  }
}

test("all scenarios were recorded, one with frames of one message between those of another", () => {
  const recorded = muxTranscripts();
  assert.equal(recorded.length, 8);
  const large = recorded.find(({ scenario }) => scenario === "large") as MuxTranscript;
  const streams = answersOf(bytesOf(large, "client")).map(({ stream }) => stream);
  assert.notDeepEqual(
    streams,
    [...streams].sort((one, other) => one - other),
  );
});

/** Writes what the client wrote, step by step, and waits each time until each stream has the answers that it had then. */
async function replay(transcript: MuxTranscript, cut: (bytes: Uint8Array) => Uint8Array[]): Promise<void> {
  const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), {
    errorFormat: "grpc-status",
    ...limits[transcript.scenario],
  });
  let recorded = new Uint8Array(0);
  for (const { side, bytes } of transcript.steps) {
    if (side === "client") {
      peer.write(...cut(bytes));
    } else {
      recorded = Buffer.concat([recorded, bytes]);
      const expected = byStream(answersOf(recorded));
      await peer.until(() => {
        const came = byStream(answersOf(peer.bytes));
        return [...expected].every(([stream, frames]) => (came.get(stream)?.length ?? 0) >= frames.length);
      });
    }
  }
  peer.close();
  await served.closed;
  assert.deepEqual(shown(transcript.scenario, peer.bytes), shown(transcript.scenario, recorded));
}

function shown(scenario: string, bytes: Uint8Array): unknown {
  return [...byStream(answersOf(bytes))].map(([stream, frames]) => [
    stream,
    frames.map((frame) => (limits[scenario] === undefined ? show(frame) : frame.kind)),
  ]);
}

function show({ kind, done, message, data }: WireFrame): string {
  if (kind === Kind.Error) {
    const { code, text } = decodeErrorPayload(data);
    return `error ${message}: ${code} ${text}`;
  }
  return `message ${message}${done ? "" : " more"}: ${toHex(data)}`;
}
