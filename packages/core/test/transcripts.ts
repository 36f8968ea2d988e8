// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { golden, hex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../src/wire/kind.js";
import { framesOf, show, type WireFrame } from "./raw-peer.js";

interface TranscriptRecord {
  readonly scenario: string;
  readonly variant: number;
  readonly side: "client" | "server";
  readonly hex: string;
}

interface TimelineRecord {
  readonly scenario: string;
  readonly variant: number;
  readonly steps: readonly { readonly side: "client" | "server"; readonly bytes: number; readonly close?: boolean }[];
}

/** What one side wrote in one go. */
export interface TranscriptStep {
  readonly side: "client" | "server";
  readonly bytes: Uint8Array;
}

/** The first variant of what a Go client and a Go server said to each other. */
export interface Transcript {
  readonly scenario: string;
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly steps: readonly TranscriptStep[];
}

/** Returns the first variant of every scenario of transcripts.json, with the steps of timeline.json. */
export function transcripts(): Transcript[] {
  const records = golden<TranscriptRecord>("transcripts.json").filter(({ variant }) => variant === 0);
  return golden<TimelineRecord>("timeline.json")
    .filter(({ variant }) => variant === 0)
    .map(({ scenario, steps }) => {
      const bytesOf = (side: string): Uint8Array =>
        hex(records.find((record) => record.scenario === scenario && record.side === side)?.hex ?? "");
      const rest = { client: bytesOf("client"), server: bytesOf("server") };
      const cut = steps.map(({ side, bytes }) => {
        const step = { side, bytes: rest[side].subarray(0, bytes) };
        rest[side] = rest[side].subarray(bytes);
        return step;
      });
      return {
        scenario,
        client: bytesOf("client"),
        server: bytesOf("server"),
        steps: cut.filter(({ bytes }) => bytes.length > 0),
      };
    });
}

/**
 * Shows frames, but for the two that Go peers send or leave out as it happens:
 * the Close of a client behind a unary answer, and the CloseSend of a server
 * behind one.
 */
export function withoutRaces(bytes: Uint8Array): string[] {
  const frames = framesOf(bytes);
  const raced = (frame: WireFrame, index: number): boolean => {
    const before = frames.slice(0, index).filter(({ stream }) => stream === frame.stream);
    const last = before.at(-1);
    return (
      (frame.kind === Kind.Close && last?.kind === Kind.CloseSend) ||
      (frame.kind === Kind.CloseSend && before.length === 1 && last?.kind === Kind.Message)
    );
  };
  return frames
    .filter((frame, index) => !raced(frame, index))
    .map((frame) => `${show(frame)} ${Buffer.from(frame.data).toString("hex")}`);
}
