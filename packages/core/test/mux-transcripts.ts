// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { golden, hex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../src/wire/kind.js";
import { framesOf, type WireFrame } from "./raw-peer.js";
import type { TranscriptStep } from "./transcripts.js";

/** What a Go client and a Go server that multiplex said to each other, on one connection. */
export interface MuxTranscript {
  readonly scenario: string;
  readonly steps: readonly TranscriptStep[];
}

/** Returns every scenario of mux_transcripts.json. */
export function muxTranscripts(): MuxTranscript[] {
  const records = golden<{ scenario: string; steps: { side: TranscriptStep["side"]; hex: string }[] }>(
    "mux_transcripts.json",
  );
  return records.map(({ scenario, steps }) => ({
    scenario,
    steps: steps.map((step) => ({ side: step.side, bytes: hex(step.hex) })),
  }));
}

/** All that one side wrote. */
export function bytesOf({ steps }: MuxTranscript, side: TranscriptStep["side"]): Uint8Array {
  return Buffer.concat(steps.filter((step) => step.side === side).map(({ bytes }) => bytes));
}

/** The frames of each stream, in the order of the streams' ids. */
export function byStream(frames: readonly WireFrame[]): Map<number, WireFrame[]> {
  const streams = new Map<number, WireFrame[]>();
  for (const frame of [...frames].sort((one, other) => one.stream - other.stream)) {
    streams.set(frame.stream, [...(streams.get(frame.stream) ?? []), frame]);
  }
  return streams;
}

const answers: readonly number[] = [Kind.Message, Kind.Error];

/** The frames that carry what a server answered: messages and errors. */
export function answersOf(bytes: Uint8Array): WireFrame[] {
  return framesOf(bytes).filter(({ kind }) => answers.includes(kind));
}
