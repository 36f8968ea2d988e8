// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Measures what encoding and decoding a message takes: by protobuf-es, by the codec that core assembles from the
// descriptor at run time, and by code as the plugin could emit it. Run it with
//   node --conditions=@ts-drpc/source --import tsx internal/bench/codec/measure.ts

import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { cornerTypes, messageTypes, protobufTypes } from "@ts-drpc-internal/protobuf-conformance";
import { messageCodec } from "../../../packages/core/src/codec/message-codec.js";
import { emittedCodecs } from "./emitted.js";

function type(name: string): DescMessage {
  const found = cornerTypes.getMessage(name) ?? protobufTypes.getMessage(name);
  if (found === undefined) {
    throw new Error(`there is no ${name}`);
  }
  return found;
}

const wide: Record<string, unknown> = {};
for (let field = 1; field <= 30; field++) {
  wide[`f${field}`] = field === 30 ? 123n : [1.5, "some text", field * 1000, true][field % 4];
}
const nested = (depth: number): Record<string, unknown> => ({
  between: depth,
  at256: "0123456789",
  ...(depth > 0 && { self: nested(depth - 1) }),
});

const cases: [string, DescMessage, object][] = [
  ["16 B", type("corner.v1.Sentence"), { sentence: "0123456789abcd" }],
  ["4 KiB", type("corner.v1.Sentence"), { sentence: "x".repeat(4093) }],
  ["4 KiB of bytes", type("google.protobuf.Any"), { value: new Uint8Array(4093) }],
  ["30 fields", type("corner.v1.Wide"), wide],
  ["5 deep", type("corner.v1.Numbers"), nested(4)],
  ["1000 packed", type("corner.v1.Longs"), { packed: Array.from({ length: 1000 }, (_, index) => String(index)) }],
];

let sink: unknown;

/** Returns nanoseconds for one call of each, in turn: the best of several rounds, as others use the machine too. */
function measure(contenders: Record<string, (() => unknown) | undefined>): Record<string, number | undefined> {
  const best: Record<string, number | undefined> = {};
  const counts: Record<string, number> = {};
  for (let round = 0; round < 16; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      if (run !== undefined) {
        const count = counts[name] ?? 1000;
        const begin = performance.now();
        for (let index = 0; index < count; index++) {
          sink = run();
        }
        const took = performance.now() - begin;
        if (round > 2) {
          best[name] = Math.round(Math.min(best[name] ?? Number.POSITIVE_INFINITY, (took * 1e6) / count));
        }
        counts[name] = Math.ceil((count * 8) / took);
      }
    }
  }
  return best;
}

// An application has many types, and code that several share is slower than code that has seen one.
for (const desc of messageTypes.slice(0, 40)) {
  const codec = messageCodec(desc);
  for (let round = 0; round < 300; round++) {
    try {
      codec.decode(codec.encode({}));
      fromBinary(desc, toBinary(desc, create(desc)));
    } catch {
      // A required field is missing.
    }
  }
}

const rows = cases.map(([name, desc, init]) => {
  const codec = messageCodec(desc);
  const emitted = emittedCodecs.get(desc.typeName);
  const message = create(desc, init as MessageInitShape<DescMessage>);
  const bytes = toBinary(desc, message);
  return {
    message: name,
    ...measure({
      "encode: es": () => toBinary(desc, create(desc, init as MessageInitShape<DescMessage>)),
      core: () => codec.encode(init as MessageInitShape<DescMessage>),
      "core, of message": () => codec.encode(message),
      emitted: emitted && (() => emitted.encode(init)),
      "decode: es": () => fromBinary(desc, bytes),
      "core ": () => codec.decode(bytes),
      "emitted ": emitted && (() => emitted.decode(bytes)),
    }),
  };
});
console.table(rows);
if (sink === undefined) {
  console.log(sink);
}
