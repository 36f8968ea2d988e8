// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { golden, hex, toHex } from "@ts-drpc-internal/fixtures";
import { ControlFrameReader } from "../../src/session/control-frame-reader.js";
import { Kind } from "../../src/wire/kind.js";
import { PacketAssembler, PacketTooLargeError } from "../../src/wire/packet-assembler.js";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import { cut, eachFragment } from "./frames.js";

interface ReaderPacket {
  readonly stream: string;
  readonly message: string;
  readonly kind: number;
  readonly control: boolean;
  readonly len: number;
  readonly data?: string;
}

interface ReaderRecord {
  readonly name: string;
  readonly class: "EOF" | "protocol error";
  readonly error: string;
  readonly len: number;
  readonly hex?: string;
  readonly prefix?: string;
  readonly packets: readonly ReaderPacket[];
}

interface Ours {
  readonly packets: readonly Omit<ReaderPacket, "len">[];
  readonly error?: { readonly type: typeof ProtocolError | typeof PacketTooLargeError; readonly message: RegExp };
}

const records = golden<ReaderRecord>("reader.json");
const maxPacketBytes = 4 * 1024 * 1024;

/** The bytes of a record. Of those of megabytes only the beginning is written down: 64 KiB frames, or a single one, of `x`. */
function bytesOf({ hex: bytes, prefix = "", len }: ReaderRecord): Uint8Array {
  if (bytes !== undefined) {
    return hex(bytes);
  }
  const whole = new Uint8Array(len).fill(0x78);
  if (prefix.startsWith("0501")) {
    whole.set(hex(prefix));
    return whole;
  }
  const header = hex("040101808004");
  const frameBytes = header.length + 65_536;
  for (let at = 0; at < len; at += frameBytes) {
    whole.set(len - at >= frameBytes ? header : hex("05010101"), at);
  }
  return whole;
}

/** Reads as a session does: an assembler for each stream, and grants beside all of them. */
function read(chunks: readonly Uint8Array[]): { packets: ReaderPacket[]; error: unknown } {
  const packets: ReaderPacket[] = [];
  const assemblers = new Map<number, PacketAssembler>();
  const grants = new ControlFrameReader();
  try {
    eachFragment(chunks, (fragment) => {
      const { kind, streamId, messageId, control } = fragment;
      if (kind === Kind.WindowUpdate) {
        grants.receive(fragment, 10);
        return;
      }
      const assembler = assemblers.get(streamId) ?? new PacketAssembler();
      assemblers.set(streamId, assembler);
      const body = assembler.accept(fragment, maxPacketBytes);
      if (body !== undefined) {
        const data = body.length < 1_000 ? { data: toHex(body) } : {};
        packets.push({
          control,
          ...data,
          kind,
          len: body.length,
          message: String(messageId),
          stream: String(streamId),
        });
      }
    });
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: undefined };
}

function message(stream: number, id: number, text: string): Omit<ReaderPacket, "len"> {
  return {
    stream: String(stream),
    message: String(id),
    kind: Kind.Message,
    control: false,
    data: toHex(Buffer.from(text)),
  };
}

const idsNeverGoBack = { type: ProtocolError, message: /message id 0 came after none, ids never go back/ };
const tooLarge = { type: PacketTooLargeError, message: /above the limit of 4194304/ };

/** The records that read differently here, and why. */
const ours = new Map<string, Ours>([
  // Go has one assembler for a connection and orders the pairs of stream and message id. Here each stream
  // has its own, as multiplexed peers need (docs/protocol.md#packets), so there is no order between streams.
  ["stream id goes back", { packets: [message(2, 1, "a"), message(1, 5, "b")] }],
  ["interleaved streams, whole packets", { packets: [message(1, 1, "a"), message(2, 1, "b"), message(1, 2, "c")] }],
  ["interleaved streams, mid packet", { packets: [message(2, 1, "b"), message(1, 1, "ac")] }],

  // Stream 0 is refused by whoever opens streams, not by the assembler, which does not look at the id.
  ["stream id 0", { packets: [message(0, 1, "")] }],

  // Go accepts message id 0 on a later stream only because (2, 0) is above (1, 2). No peer sends it.
  ["message id 0 on stream 2", { packets: [message(1, 1, "a")], error: idsNeverGoBack }],
  ["message id 0 on stream 2 first", { packets: [], error: idsNeverGoBack }],

  // Grants stand outside the order of message ids.
  ["interleaved window update", { packets: [message(1, 1, "ac")] }],

  // The flag counts as the last frame has it, as with a multiplexed Go peer. All frames of an honest one agree.
  [
    "control on the first frame only",
    { packets: [{ stream: "1", message: "1", kind: 20, control: false, data: "6162" }] },
  ],

  // Numbers from 2^53 on are refused, a length among them before any data comes.
  [
    "stream id with surplus bits in byte 10",
    { packets: [], error: { type: ProtocolError, message: /stream id is above 2\^53 - 1/ } },
  ],
  ["huge length, no data", { packets: [], error: { type: ProtocolError, message: /data length is above 2\^53 - 1/ } }],

  // A packet above the limit ends its stream, not the connection.
  ["4 MiB + 1 in one frame", { packets: [], error: tooLarge }],
  ["4 MiB + 1 in 64 KiB frames", { packets: [], error: tooLarge }],
  ["4 MiB + 100 in one frame", { packets: [], error: tooLarge }],
  ["5 MiB unfinished frames", { packets: [], error: tooLarge }],
]);

/** How a record is to be read: as Go reads it, or as is said above. */
function expected(record: ReaderRecord): Ours {
  const asGo = record.packets.map(({ len: _, ...packet }) => packet);
  return (
    ours.get(record.name) ??
    (record.class === "EOF" ? { packets: asGo } : { packets: asGo, error: { type: ProtocolError, message: /./ } })
  );
}

function assertRead(record: ReaderRecord, chunks: readonly Uint8Array[]): void {
  const { packets, error } = read(chunks);
  const wanted = expected(record);
  assert.deepEqual(
    packets.map(({ len: _, ...packet }) => packet),
    wanted.packets,
  );
  if (wanted.error === undefined) {
    assert.equal(error, undefined);
  } else {
    assert.ok(error instanceof wanted.error.type, `${String(error)} is not of the expected type`);
    assert.match(error.message, wanted.error.message);
  }
}

describe("the sequences that were fed to Go's reader", () => {
  for (const record of records) {
    test(`are read as ${ours.has(record.name) ? "is right for many streams" : "in Go"}: ${record.name}`, () => {
      const bytes = bytesOf(record);
      assert.equal(bytes.length, record.len);
      assertRead(record, [bytes]);
      assertRead(record, cut(bytes, bytes.length < 100 ? [1] : [10_007]));
    });
  }

  test("are each either read as in Go or named as an exception, and each exception does differ", () => {
    for (const [name, { packets, error }] of ours) {
      const record = records.find((each) => each.name === name);
      assert.ok(record !== undefined, `there is no record "${name}"`);
      const same =
        JSON.stringify(packets) === JSON.stringify(record.packets.map(({ len: _, ...packet }) => packet)) &&
        (error === undefined) === (record.class === "EOF") &&
        error?.type !== PacketTooLargeError;
      assert.equal(same, false, name);
    }
  });

  test("include a packet of exactly 4 MiB, which passes", () => {
    const record = records.find(({ name }) => name === "exactly 4 MiB in one frame");
    assert.ok(record !== undefined && !ours.has(record.name));
    assert.equal(read([bytesOf(record)]).packets[0]?.len, maxPacketBytes);
  });
});
