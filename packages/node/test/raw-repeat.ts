// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { encodeFrameHeader, firstByte, Kind, maxHeaderBytes } from "@ts-drpc/core/wire";
import { RepeatRequestSchema } from "@ts-drpc-internal/fixtures";

/** Returns the bytes of a call of `Repeat` on stream 1, as a client that announces nothing sends them. */
export function rawRepeat(request: MessageInitShape<typeof RepeatRequestSchema>): Uint8Array {
  const path = new TextEncoder().encode("/echo.v1.EchoService/Repeat");
  const message = toBinary(RepeatRequestSchema, create(RepeatRequestSchema, request));
  return Buffer.concat([
    frame(Kind.Invoke, 1, path),
    frame(Kind.Message, 2, message),
    frame(Kind.CloseSend, 3, new Uint8Array(0)),
  ]);
}

function frame(kind: number, messageId: number, body: Uint8Array): Uint8Array {
  const header = new Uint8Array(maxHeaderBytes);
  const length = encodeFrameHeader(firstByte(kind, true, false), 1, messageId, body.length, header, 0);
  return Buffer.concat([header.subarray(0, length), body]);
}
