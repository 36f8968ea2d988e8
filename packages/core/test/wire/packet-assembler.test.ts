// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Kind } from "../../src/wire/kind.js";
import { PacketAssembler, PacketTooLargeError } from "../../src/wire/packet-assembler.js";
import { ProtocolError } from "../../src/wire/protocol-error.js";
import {
  concat,
  cut,
  cutSizes,
  eachFragment,
  encode,
  type Frame,
  frame,
  frameLikeBytes,
  readPackets,
} from "./frames.js";

const limit = 1_000;

/** Reads frames in one piece, as `[message id, text]` of each packet. */
function texts(...frames: Frame[]): { packets: (readonly [number, string])[]; error: unknown } {
  const { read, error } = readPackets([concat(frames.map(encode))], limit);
  return { packets: read.map(({ messageId, body }) => [messageId, new TextDecoder().decode(body)]), error };
}

describe("PacketAssembler", () => {
  test("joins the frames of a packet, empty ones anywhere", () => {
    const part = (data: string): Frame => frame({ done: false, data });
    assert.deepEqual(texts(part(""), part("he"), part(""), part("ll"), frame({ data: "o" })).packets, [[1, "hello"]]);
    assert.deepEqual(texts(part("hello"), frame()).packets, [[1, "hello"]]);
    assert.deepEqual(texts(part(""), part(""), frame()).packets, [[1, ""]]);
  });

  test("takes an empty frame that is done for an empty message", () => {
    assert.deepEqual(texts(frame()), { packets: [[1, ""]], error: undefined });
  });

  test("accepts gaps between message ids", () => {
    const { packets, error } = texts(frame({ messageId: 7, data: "a" }), frame({ messageId: 9, data: "b" }));
    assert.deepEqual(
      [packets, error],
      [
        [
          [7, "a"],
          [9, "b"],
        ],
        undefined,
      ],
    );
  });

  test("refuses a message id that was done already", () => {
    const { packets, error } = texts(frame({ data: "a" }), frame({ data: "b" }));
    assert.deepEqual(packets, [[1, "a"]]);
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.message, "stream 1: message id 1 came after 1, ids never go back");
  });

  test("refuses a message id below that of the packet under way", () => {
    const { error } = texts(frame({ messageId: 5, done: false }), frame({ messageId: 4 }));
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.message, "stream 1: message id 4 came after 5, ids never go back");
  });

  test("refuses message id 0", () => {
    const { error } = texts(frame({ messageId: 0 }));
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.message, "stream 1: message id 0 came after none, ids never go back");
  });

  test("drops an unfinished packet silently when a higher message id comes", () => {
    const { packets, error } = texts(frame({ done: false, data: "lost" }), frame({ messageId: 2, data: "kept" }));
    assert.deepEqual([packets, error], [[[2, "kept"]], undefined]);
  });

  test("lets the packet after a dropped one have another kind", () => {
    const { packets } = texts(
      frame({ done: false, data: "lost" }),
      frame({ messageId: 2, kind: Kind.Cancel, control: true }),
    );
    assert.deepEqual(packets, [[2, ""]]);
  });

  test("refuses a change of kind inside a packet", () => {
    const { error } = texts(frame({ done: false, data: "a" }), frame({ kind: Kind.Error, data: "b" }));
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.message, "stream 1: a Message packet went on as Error under the same message id");
  });

  test("refuses every id after the last that there is", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const { packets, error } = texts(frame({ messageId: most }), frame({ messageId: most }));
    assert.equal(packets.length, 1);
    assert.ok(error instanceof ProtocolError);
  });

  test("hands out a packet that lies whole in a chunk as a view of it", () => {
    const chunk = encode(frame({ data: "hello" }));
    const assembler = new PacketAssembler();
    eachFragment([chunk], (fragment) => {
      const body = assembler.accept(fragment, limit);
      assert.equal(body?.buffer, chunk.buffer);
    });
    assert.equal(assembler.heldBytes, 0);
  });

  test("does not change a packet that it handed out when it assembles the next one", () => {
    const frames = ["aaaa", "bbbb"].flatMap((data, index) => [
      frame({ messageId: index + 1, done: false, data }),
      frame({ messageId: index + 1, data }),
    ]);
    const assembler = new PacketAssembler();
    const bodies: Uint8Array[] = [];
    eachFragment(frames.map(encode), (fragment) => {
      bodies.push(...[assembler.accept(fragment, limit)].filter((body) => body !== undefined));
    });
    assert.deepEqual(
      bodies.map((body) => new TextDecoder().decode(body)),
      ["aaaaaaaa", "bbbbbbbb"],
    );
  });

  test("ignores the rest of a frame whose beginning somebody else had, however long it is", () => {
    // A stream ends in the middle of a frame, and whoever has the stream next sees the rest of it.
    const before = new PacketAssembler();
    const after = new PacketAssembler();
    const huge = encode(frame({ data: new Uint8Array(5_000) }));
    eachFragment(cut(huge, [100]), (fragment) => {
      if (fragment.first) {
        assert.throws(() => before.accept(fragment, limit), PacketTooLargeError);
      } else {
        assert.equal(after.accept(fragment, limit), undefined);
        assert.equal(before.accept(fragment, limit), undefined);
      }
    });
    assert.deepEqual([before.heldBytes, after.heldBytes], [0, 0]);
  });
});

describe("the limit of a PacketAssembler", () => {
  test("lets a packet of exactly that size pass, in one frame and in many", () => {
    const data = "x".repeat(limit);
    assert.deepEqual(texts(frame({ data })).packets, [[1, data]]);
    assert.deepEqual(texts(frame({ done: false, data }), frame()).packets, [[1, data]]);
  });

  test("refuses one byte more from the header, before any data has come", () => {
    const { error } = texts(frame({ data: "x".repeat(limit + 1) }));
    assert.ok(error instanceof PacketTooLargeError);
    assert.deepEqual([error.kind, error.bytes, error.maxBytes], [Kind.Message, limit + 1, limit]);
    const header = encode(frame({ data: "x".repeat(limit + 1) })).subarray(0, 5);
    assert.ok(readPackets([header], limit).error instanceof PacketTooLargeError);
  });

  test("is enforced while a packet is assembled, not at its end", () => {
    const { packets, error } = texts(
      frame({ done: false, data: "x".repeat(limit) }),
      frame({ done: false, data: "x" }),
    );
    assert.deepEqual(packets, []);
    assert.ok(error instanceof PacketTooLargeError);
  });

  test("holds for each packet by itself", () => {
    const data = "x".repeat(limit);
    assert.equal(texts(frame({ data }), frame({ messageId: 2, data })).packets.length, 2);
    const { error } = texts(frame({ done: false, data }), frame({ messageId: 2, data }));
    assert.equal(error, undefined, "what was dropped does not count");
  });

  test("allocates nothing for data that was only announced", () => {
    const announced = encode(frame({ data: new Uint8Array(4 * 1024 * 1024) }));
    const assembler = new PacketAssembler();
    eachFragment([announced.subarray(0, 7)], (fragment) => assembler.accept(fragment, announced.length));
    assert.equal(assembler.heldBytes, 0);
    const begun = new PacketAssembler();
    eachFragment([announced.subarray(0, 17)], (fragment) => begun.accept(fragment, announced.length));
    assert.ok(begun.heldBytes >= 10 && begun.heldBytes < 20, `${begun.heldBytes} bytes are held for 10`);
  });
});

describe("PacketAssembler, whatever comes", () => {
  test("joins what comes in pieces of any size, and holds no more than has come", () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 9_000 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40_000 }),
        sizes.filter((all) => all.some((size) => size > 0)),
        (length, pieces) => {
          const data = Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
          const assembler = new PacketAssembler();
          let came = 0;
          let body: Uint8Array | undefined;
          eachFragment(cut(encode(frame({ data })), pieces), (fragment) => {
            body ??= assembler.accept(fragment, length);
            came += fragment.end - fragment.start;
            assert.equal(assembler.heldBytes, body === undefined ? came : 0);
          });
          assert.deepEqual(body, data);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("holds less than twice what has come", () => {
    fc.assert(
      fc.property(frameLikeBytes, cutSizes, (bytes, sizes) => {
        const assemblers = new Map<number, PacketAssembler>();
        const chunks = cut(bytes, sizes);
        let received = 0;
        for (const [index, chunk] of chunks.entries()) {
          received += chunk.length;
          assemblers.clear();
          try {
            eachFragment(chunks.slice(0, index + 1), (fragment) => {
              const assembler = assemblers.get(fragment.streamId) ?? new PacketAssembler();
              assemblers.set(fragment.streamId, assembler);
              assembler.accept(fragment, Number.MAX_SAFE_INTEGER);
            });
          } catch (error) {
            assert.ok(error instanceof ProtocolError);
          }
          const held = [...assemblers.values()].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
          assert.ok(held === 0 || held < 2 * received, `${held} bytes are held of ${received}`);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("gives each stream its packets in order, however the frames of many streams are interleaved", () => {
    const message = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
    const streams = fc.array(fc.array(message, { maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(streams, fc.infiniteStream(fc.nat()), cutSizes, (sent, turns, sizes) => {
        const queues = sent.map((messages, stream) =>
          messages.flatMap((parts, message) =>
            parts.map((data, part) =>
              frame({ streamId: stream + 1, messageId: message + 1, done: part === parts.length - 1, data }),
            ),
          ),
        );
        const interleaved: Frame[] = [];
        for (
          let live = queues.filter((queue) => queue.length > 0);
          live.length > 0;
          live = live.filter((queue) => queue.length > 0)
        ) {
          interleaved.push(live[(turns.next().value as number) % live.length]?.shift() as Frame);
        }
        const { read, error } = readPackets(cut(concat(interleaved.map(encode)), sizes));
        assert.equal(error, undefined);
        for (const [stream, messages] of sent.entries()) {
          const bodies = read.filter(({ streamId }) => streamId === stream + 1).map(({ body }) => body);
          assert.deepEqual(bodies, messages.map(concat));
        }
      }),
    );
  });
});
