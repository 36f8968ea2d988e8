// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { gopeer } from "@ts-drpc-internal/fixtures";
import { GoldenEcho } from "../golden-echo.js";
import { framesOf, serveRawClient, show } from "../raw-peer.js";
import { type Transcript, transcripts, withoutRaces } from "../transcripts.js";

// A call without its request: Go answers `Error code 0 "EOF"`, we say what is wrong, with gRPC's code for it.
const otherText = new Set(["unary_without_message"]);

for (const transcript of transcripts()) {
  const { scenario } = transcript;

  test(`our server answers the recorded Go client as Go does: ${scenario} (checklist 51, checklist 57)`, async () => {
    await replay(transcript, (bytes) => [bytes]);
  });

  if (transcript.client.length < 10_000) {
    test(`our server answers the recorded Go client as Go does when each byte comes alone: ${scenario}`, async () => {
      await replay(transcript, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)));
    });
  }
}

test("all scenarios were recorded", () => {
  assert.equal(transcripts().length, 36);
});

/** Writes what the client wrote, step by step, and waits each time for what the server then answered. */
async function replay(
  { scenario, steps, server }: Transcript,
  cut: (bytes: Uint8Array) => Uint8Array[],
): Promise<void> {
  const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), {
    maxMetadataBytes: 1 << 20,
  });
  let answered = 0;
  for (const { side, bytes } of steps) {
    if (side === "client") {
      peer.write(...cut(bytes));
    } else {
      answered += framesOf(bytes).length;
      await peer.until(({ frames }) => frames.length >= answered);
    }
  }
  peer.close();
  await served.closed;

  if (otherText.has(scenario)) {
    assert.deepEqual(peer.shown(), ["Error 1/1 65", ...framesOf(server).slice(1).map(show)]);
  } else {
    assert.deepEqual(withoutRaces(peer.bytes), withoutRaces(server));
  }
}
