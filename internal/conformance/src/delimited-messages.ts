// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Readable, Writable } from "node:stream";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

const prefixBytes = 4;

/** Reads what the runner writes: messages, each behind its length in 4 bytes, big-endian, until the stream ends. */
export async function* readMessages<Desc extends DescMessage>(
  input: Readable,
  desc: Desc,
): AsyncGenerator<MessageShape<Desc>> {
  let unread = Buffer.alloc(0);
  for await (const chunk of input) {
    unread = Buffer.concat([unread, chunk as Buffer]);
    for (let end = endOfFirst(unread); end <= unread.length; end = endOfFirst(unread)) {
      yield fromBinary(desc, unread.subarray(prefixBytes, end));
      unread = unread.subarray(end);
    }
  }
  if (unread.length > 0) {
    throw new Error(`the runner's last message is cut off after ${unread.length} bytes`);
  }
}

/** Writes a message as the runner reads it. */
export function writeMessage<Desc extends DescMessage>(
  output: Writable,
  desc: Desc,
  init: MessageInitShape<Desc>,
): void {
  const body = toBinary(desc, create(desc, init));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(body.length);
  output.write(Buffer.concat([prefix, body]));
}

function endOfFirst(unread: Buffer): number {
  return unread.length < prefixBytes ? Number.POSITIVE_INFINITY : prefixBytes + unread.readUInt32BE();
}
