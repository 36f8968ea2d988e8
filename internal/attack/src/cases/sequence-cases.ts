// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { encodeMetadataPayload, Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import { assertFates, type FateRow } from "../harness/fate.js";
import { echoMessage, frame, invoke, joinBytes, unaryCall } from "../harness/frames.js";

/** Frames that are well formed, and out of place. */
export const sequenceCases: readonly AttackCase[] = [
  {
    name: "out-of-order",
    attack: 5,
    what: "ids that go back or jump, kinds that change, frames before and after the life of a stream",
    anyServer: true,
    run: (field) => assertFates(field, outOfOrder(field.paths.unary, field.paths.bidi)),
  },
];

function outOfOrder(unary: string, bidi: string): FateRow[] {
  const open = invoke(1, bidi);
  const hello = echoMessage("hello");
  const part = frame(Kind.Message, 1, 2, hello, { done: false });
  const row = (sends: string, fate: FateRow["fate"], ...parts: readonly Uint8Array[]): FateRow => ({
    sends,
    fate,
    bytes: joinBytes(parts),
  });
  return [
    row(
      "a message id that goes back",
      "ends",
      open,
      frame(Kind.Message, 1, 5, hello),
      frame(Kind.Message, 1, 4, hello),
    ),
    row("a message again", "ends", open, frame(Kind.Message, 1, 2, hello), frame(Kind.Message, 1, 2, hello)),
    row("a packet that changes its kind", "ends", open, part, frame(Kind.CloseSend, 1, 2)),
    row("a packet that is given up", "lives", open, part, frame(Kind.Message, 1, 3, hello)),
    row("an Invoke on a stream that is open", "ends", open, frame(Kind.Invoke, 1, 2, bidi)),
    row(
      "metadata on a stream that is open",
      "ends",
      open,
      frame(Kind.InvokeMetadata, 1, 2, encodeMetadataPayload([["a", "b"]])),
    ),
    row("a Message before any Invoke", "lives", frame(Kind.Message, 1, 1, hello)),
    row("CloseSend before any Invoke", "lives", frame(Kind.CloseSend, 1, 1)),
    row("Cancel before any Invoke", "lives", frame(Kind.Cancel, 1, 1)),
    row("a Message behind CloseSend", "lives", open, frame(Kind.CloseSend, 1, 2), frame(Kind.Message, 1, 3, hello)),
    row("a Message behind Close", "lives", open, frame(Kind.Close, 1, 2), frame(Kind.Message, 1, 3, hello)),
    row("a Message behind Cancel", "lives", open, frame(Kind.Cancel, 1, 2), frame(Kind.Message, 1, 3, hello)),
    row("a Message behind Error", "lives", open, frame(Kind.Error, 1, 2), frame(Kind.Message, 1, 3, hello)),
    row("the rest of a message behind Cancel", "lives", open, part, frame(Kind.Cancel, 1, 3), part, part),
    row("a stream id that goes back", "lives", unaryCall(9, unary), unaryCall(3, unary)),
    row("a stream id again", "lives", unaryCall(1, unary), frame(Kind.Close, 1, 4), unaryCall(1, unary)),
    row("malformed metadata", "ends", frame(Kind.InvokeMetadata, 1, 1, Uint8Array.of(0x0a, 0xff))),
  ];
}
