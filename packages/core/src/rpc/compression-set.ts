// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { MessageCompression, MessageCompressionName } from "../vocabulary/message-compression.js";

// As they are said in settings (docs/protocol.md#settings).
const bits: ReadonlyMap<unknown, number> = new Map<MessageCompressionName, number>([
  ["snappy", 1],
  ["minlz-fastest", 2],
]);

const maxShownName = 64;

/** Returns the bit that stands for a compression in settings. */
export function compressionBit({ name }: MessageCompression): number {
  return bits.get(name) ?? 0;
}

/** Returns the value of an option that is a compression, if it is one. */
export function checkCompression(option: string, value: MessageCompression): MessageCompression {
  if (typeof value?.compress !== "function" || typeof value.decompress !== "function" || !bits.has(value.name)) {
    const shown = JSON.stringify(value?.name) ?? String(value);
    throw new TypeError(
      `${option} must be a compression named ${[...bits.keys()].join(" or ")}, as @ts-drpc/compression has them, got ${shown}`,
    );
  }
  return value;
}

/** The compressions that a server takes. */
export class CompressionSet {
  /** All of them, as settings say them. */
  readonly bits: number;

  readonly #compressions = new Map<string, MessageCompression>();

  /** Throws a TypeError or RangeError that names the option `compressions` if it holds anything else, or one twice. */
  constructor(compressions: readonly MessageCompression[]) {
    if (!Array.isArray(compressions)) {
      throw new TypeError(`compressions must be an array of compressions, got ${String(compressions)}`);
    }
    let all = 0;
    for (const [index, compression] of compressions.entries()) {
      checkCompression(`compressions[${index}]`, compression);
      if (this.#compressions.has(compression.name)) {
        throw new RangeError(`compressions must name each compression once, got ${compression.name} twice`);
      }
      this.#compressions.set(compression.name, compression);
      all |= compressionBit(compression);
    }
    this.bits = all;
  }

  find(name: string): MessageCompression | undefined {
    return this.#compressions.get(name);
  }

  /** Says why a call with a compression of this name is refused, or undefined if it is not, or has none. */
  refusal(path: string, name: string | undefined): DrpcError | undefined {
    if (name === undefined || this.#compressions.has(name)) {
      return undefined;
    }
    const known = this.#compressions.size === 0 ? "none" : [...this.#compressions.keys()].join(", ");
    const shown = JSON.stringify(name.slice(0, maxShownName));
    // As in https://github.com/grpc/grpc/blob/master/doc/compression.md.
    return new DrpcError(
      `${path}: the compression ${shown} is not supported, the server's option compressions has ${known}`,
      Code.Unimplemented,
    );
  }
}
