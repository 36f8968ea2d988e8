// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { FrameReader } from "../../src/wire/frame-reader.js";
import { Kind } from "../../src/wire/kind.js";
import { concat, encode, type Frame, readFrames } from "../wire/frames.js";
import type { Random } from "./random.js";

/** Longer inputs are cut: they find nothing that shorter ones do not. */
export const maxInputBytes = 4_096;

const interestingBytes = [0, 1, 2, 3, 5, 7, 0x0a, 0x0d, 0x0f, 0x12, 0x7f, 0x80, 0x81, 0x89, 0x91, 0xfd, 0xff];
const interestingNumbers = [0, 1, 2, 3, 127, 128, 255, 1_000, 65_535, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER];
// Some that share the place of others in a ring of 16.
const streamIds = [1, 1, 1, 2, 2, 3, 4, 5, 6, 17, 18];
const kinds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 55, 56, 57, 59, 62, 63];

/** Changes an input a little, a few times over. Half of the changes are of bytes, half of frames. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let changed = input;
  for (let count = 1 + random.below(4); count > 0; count--) {
    changed = random.once(2) ? changeBytes(changed, other, random) : changeFrames(changed, other, random);
  }
  return changed.slice(0, maxInputBytes);
}

function changeBytes(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const bytes = input.slice();
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(random.once(2) ? 4 : 20);
  switch (random.below(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.pick(interestingBytes);
      return bytes;
    case 2:
      return concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 3:
      return concat([
        bytes.subarray(0, at),
        new Uint8Array(length).fill(random.pick(interestingBytes)),
        bytes.subarray(at),
      ]);
    case 4: {
      const from = random.below(other.length + 1);
      return concat([bytes.subarray(0, at), other.subarray(from, from + random.below(64)), bytes.subarray(at)]);
    }
    case 5:
      return bytes.subarray(0, at);
    default:
      return concat([bytes, bytes.subarray(at)]);
  }
}

/** Changes the frames that the input begins with; what follows them is left as it is. */
function changeFrames(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const frames = readFrames([input]).read;
  const rest = input.subarray(wholeFrameBytes(input));
  const others = readFrames([other]).read;
  const at = random.below(frames.length + 1);
  const frame = frames[at];
  if (frame === undefined || random.once(4)) {
    const added = others.length > 0 && random.once(2) ? random.pick(others) : anyFrame(random);
    frames.splice(at, 0, added);
  } else {
    changeFrame(frames, at, frame, random);
  }
  return concat([...(random.once(2) ? frames : inOrder(frames)).map(encode), rest]);
}

/** Numbers the packets of each stream anew, as a peer would, so that what was moved or added is read to its end. */
function inOrder(frames: readonly Frame[]): Frame[] {
  const last = new Map<number, { readonly id: number; readonly open: boolean }>();
  return frames.map((frame) => {
    const before = last.get(frame.streamId) ?? { id: 0, open: false };
    const messageId = frame.kind === Kind.WindowUpdate ? 0 : before.id + (before.open ? 0 : 1);
    if (frame.kind !== Kind.WindowUpdate) {
      last.set(frame.streamId, { id: messageId, open: !frame.done });
    }
    return { ...frame, messageId };
  });
}

function changeFrame(frames: Frame[], at: number, frame: Frame, random: Random): void {
  const number = random.once(2) ? random.pick(interestingNumbers) : random.below(6);
  switch (random.below(10)) {
    case 0:
      frames.splice(at, 1);
      return;
    case 1:
      frames.splice(at, 0, frame);
      return;
    case 2:
      frames.splice(at, 1);
      frames.splice(random.below(frames.length + 1), 0, frame);
      return;
    case 3:
      frames[at] = { ...frame, kind: random.pick(kinds) };
      return;
    case 4:
      frames[at] = { ...frame, done: !frame.done };
      return;
    case 5:
      frames[at] = { ...frame, control: !frame.control };
      return;
    case 6:
      frames[at] = { ...frame, streamId: random.once(4) ? number : random.pick(streamIds) };
      return;
    case 7:
      frames[at] = { ...frame, messageId: number };
      return;
    case 8:
      frames.splice(at, 0, ...new Array<Frame>(1 + random.below(12)).fill(frame));
      return;
    default:
      splitFrame(frames, at, frame, random);
  }
}

/** Makes two frames of one packet of a frame. */
function splitFrame(frames: Frame[], at: number, frame: Frame, random: Random): void {
  const cut = random.below(frame.data.length + 1);
  const first = { ...frame, done: false, data: frame.data.subarray(0, cut) };
  frames.splice(at, 1, first, { ...frame, data: frame.data.subarray(cut) });
}

function anyFrame(random: Random): Frame {
  const kind = random.pick(kinds);
  return {
    kind,
    control: kind === 4 || kind === 8 || kind === 62 || random.once(8),
    done: !random.once(4),
    streamId: random.once(8) ? random.pick(interestingNumbers) : random.pick(streamIds),
    messageId: random.once(8) ? random.pick(interestingNumbers) : random.below(6),
    data: new Uint8Array(random.below(random.once(8) ? 700 : 16)).fill(random.pick(interestingBytes)),
  };
}

/** How many bytes at the beginning are whole frames. */
function wholeFrameBytes(input: Uint8Array): number {
  const reader = new FrameReader();
  reader.push(input);
  let bytes = 0;
  try {
    while (reader.next()) {
      bytes = reader.last ? reader.end : bytes;
    }
  } catch {
    // What is no frame is left as it is.
  }
  return bytes;
}
