// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ScalarType } from "@bufbuild/protobuf";
import type { Encoder } from "./encoder.js";

/** Writes a value without its tag. Throws if the value does not fit the type. */
export type ScalarWriter = (encoder: Encoder, value: unknown) => void;

/** Returns the writer of a scalar type. */
export function scalarWriter(type: ScalarType): ScalarWriter {
  switch (type) {
    case ScalarType.STRING:
      return (encoder, value) => encoder.text(typeof value === "string" ? value : String(value));
    case ScalarType.BYTES:
      return (encoder, value) => {
        const bytes = bytesOf(value);
        encoder.uint32(bytes.length);
        encoder.raw(bytes);
      };
    case ScalarType.BOOL:
      return (encoder, value) => encoder.uint32(value ? 1 : 0);
    case ScalarType.DOUBLE:
      return (encoder, value) => encoder.double(value as number);
    case ScalarType.FLOAT:
      return (encoder, value) => encoder.float(floatOf(value));
    case ScalarType.INT32:
      return (encoder, value) => {
        const number = int32Of(value);
        if (number < 0) {
          encoder.varint64(number, -1);
        } else {
          encoder.uint32(number);
        }
      };
    case ScalarType.SINT32:
      return (encoder, value) => {
        const number = int32Of(value);
        encoder.uint32(((number << 1) ^ (number >> 31)) >>> 0);
      };
    case ScalarType.UINT32:
      return (encoder, value) => encoder.uint32(uint32Of(value));
    case ScalarType.FIXED32:
      return (encoder, value) => encoder.fixed32(uint32Of(value));
    case ScalarType.SFIXED32:
      return (encoder, value) => encoder.fixed32(int32Of(value));
    default:
      return longWriter(type);
  }
}

// Splits integers of 64 bits into halves.
const halves = new DataView(new ArrayBuffer(8));

function longWriter(type: ScalarType): ScalarWriter {
  const unsigned = type === ScalarType.UINT64 || type === ScalarType.FIXED64;
  const fixed = type === ScalarType.FIXED64 || type === ScalarType.SFIXED64;
  const zigzag = type === ScalarType.SINT64;
  return (encoder, value) => {
    const long = typeof value === "bigint" ? value : BigInt(value as string | number);
    if (unsigned ? BigInt.asUintN(64, long) !== long : BigInt.asIntN(64, long) !== long) {
      throw new Error(`${long} does not fit ${unsigned ? "uint64" : "int64"}`);
    }
    halves.setBigInt64(0, long);
    const high = halves.getInt32(0);
    const low = halves.getInt32(4);
    if (fixed) {
      encoder.fixed32(low);
      encoder.fixed32(high);
    } else if (zigzag) {
      const sign = high >> 31;
      encoder.varint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
    } else {
      encoder.varint64(low, high);
    }
  };
}

/** A number is also taken as a text, as protobuf-es does. */
function numberOf(value: unknown): number {
  return typeof value === "string" ? Number(value) : (value as number);
}

function int32Of(value: unknown): number {
  const number = numberOf(value);
  if ((number | 0) !== number) {
    throw new Error(`${String(value)} does not fit int32`);
  }
  return number | 0;
}

function uint32Of(value: unknown): number {
  const number = numberOf(value);
  if (number >>> 0 !== number) {
    throw new Error(`${String(value)} does not fit uint32`);
  }
  return number >>> 0;
}

function floatOf(value: unknown): number {
  const number = numberOf(value);
  if (typeof number !== "number" || (Number.isNaN(number) && value !== "NaN" && typeof value === "string")) {
    throw new Error(`${String(value)} does not fit float`);
  }
  if (!Number.isFinite(Math.fround(number)) && Number.isFinite(number)) {
    throw new Error(`${String(value)} does not fit float`);
  }
  return number;
}

/** Bytes are also taken as an array of numbers, as protobuf-es does where a message is created. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) {
    return value;
  }
  if (Array.isArray(value)) {
    return new Uint8Array(value);
  }
  // Of another realm.
  if (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]") {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new Error(`${String(value)} is no Uint8Array`);
}
