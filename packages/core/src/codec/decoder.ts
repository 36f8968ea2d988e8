// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { WireType } from "@bufbuild/protobuf/wire";
import { decodeUtf8 } from "./utf8.js";

// The limit of protobuf-es, and of most implementations.
const maxDepth = 100;

/** A field that the type of its message does not have. */
export interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

// Joins the bytes and halves of numbers.
const scratch = new DataView(new ArrayBuffer(8));

/**
 * Reads the bytes of one message. Every read throws if the bytes end before
 * it does.
 *
 * It takes what protobuf-es takes: varints of up to ten bytes, of which those
 * that are too many for the type are dropped.
 */
export class Decoder {
  /** The offset of what is read next. */
  at = 0;

  /** The unknown fields of the message that is being read, if there are any. */
  unknown: UnknownField[] | undefined;

  readonly #bytes: Uint8Array;
  #depth = 0;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all bytes are read. */
  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** Enters a message. Throws if it is in too many others. */
  enter(): void {
    if (++this.#depth > maxDepth) {
      throw new Error(`messages are nested more than ${maxDepth} deep`);
    }
  }

  leave(): void {
    this.#depth--;
  }

  /** Reads the number of a field and the wire type of its value. */
  tag(): number {
    const start = this.at;
    const first = this.#bytes[start];
    if (first !== undefined && first < 0x80 && first > 7 && (first & 7) < 6) {
      this.at = start + 1;
      return first;
    }
    const tag = this.uint32();
    const length = this.at - start;
    if (length > 5 || (length === 5 && (this.#bytes[this.at - 1] as number) > 0x0f)) {
      throw new Error("a tag has more than 32 bits");
    }
    if (tag >>> 3 === 0 || (tag & 7) > WireType.Bit32) {
      throw new Error(`there is no field ${tag >>> 3} of wire type ${tag & 7}`);
    }
    return tag;
  }

  uint32(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at++;
      return first;
    }
    this.#varint();
    return this.#low;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  uint64(): bigint {
    this.#varint();
    return bigUint64(this.#low, this.#high);
  }

  int64(): bigint {
    this.#varint();
    return bigInt64(this.#low, this.#high);
  }

  sint64(): bigint {
    this.#varint();
    const low = this.#low;
    const high = this.#high;
    const sign = -(low & 1);
    return bigInt64(((low >>> 1) | ((high & 1) << 31)) ^ sign, (high >>> 1) ^ sign);
  }

  fixed32(): number {
    const at = this.#skip(4);
    const bytes = this.#bytes;
    return (
      (((bytes[at + 3] as number) << 24) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 1] as number) << 8) |
        (bytes[at] as number)) >>>
      0
    );
  }

  sfixed32(): number {
    return this.fixed32() | 0;
  }

  fixed64(): bigint {
    const low = this.fixed32();
    return bigUint64(low, this.fixed32());
  }

  sfixed64(): bigint {
    const low = this.fixed32();
    return bigInt64(low, this.fixed32());
  }

  float(): number {
    scratch.setUint32(0, this.fixed32());
    return scratch.getFloat32(0);
  }

  double(): number {
    const low = this.fixed32();
    scratch.setUint32(0, this.fixed32());
    scratch.setUint32(4, low);
    return scratch.getFloat64(0);
  }

  /** Reads bytes behind their length. They are a view, not a copy. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const from = this.#skip(length);
    return this.#bytes.subarray(from, this.at);
  }

  /** Reads a text behind its length. If it is strict, what is not UTF-8 makes it throw. */
  text(strict: boolean): string {
    const length = this.uint32();
    const from = this.#skip(length);
    return decodeUtf8(this.#bytes, from, this.at, strict);
  }

  /** Reads the value of a field that the message does not have, and keeps it if it is to be kept. */
  unknownField(tag: number, keep: boolean): void {
    const from = this.at;
    this.#skipValue(tag, maxDepth - this.#depth);
    if (keep) {
      this.keep({ no: tag >>> 3, wireType: tag & 7, data: this.#bytes.subarray(from, this.at) });
    }
  }

  /** Keeps an unknown field. */
  keep(field: UnknownField): void {
    if (this.unknown === undefined) {
      this.unknown = [field];
    } else {
      this.unknown.push(field);
    }
  }

  #skipValue(tag: number, groupsLeft: number): void {
    switch (tag & 7) {
      case WireType.Varint:
        this.#skipVarint();
        return;
      case WireType.Bit32:
        this.#skip(4);
        return;
      case WireType.Bit64:
        this.#skip(8);
        return;
      case WireType.LengthDelimited:
        this.#skip(this.uint32());
        return;
      case WireType.StartGroup:
        this.#skipGroup(tag >>> 3, groupsLeft);
        return;
      default:
        throw new Error(`a group ends that did not begin, with field ${tag >>> 3}`);
    }
  }

  #skipGroup(fieldNumber: number, groupsLeft: number): void {
    if (groupsLeft <= 0) {
      throw new Error(`messages and groups are nested more than ${maxDepth} deep`);
    }
    for (let tag = this.tag(); ; tag = this.tag()) {
      if ((tag & 7) === WireType.EndGroup) {
        if (tag >>> 3 !== fieldNumber) {
          throw new Error(`the group of field ${fieldNumber} ends with field ${tag >>> 3}`);
        }
        return;
      }
      this.#skipValue(tag, groupsLeft - 1);
    }
  }

  /** An unknown varint may be of any length. */
  #skipVarint(): void {
    while ((this.#bytes[this.at] as number) > 0x7f) {
      this.at++;
    }
    this.#skip(1);
  }

  /** Goes beyond so many bytes, and returns where they begin. */
  #skip(count: number): number {
    const from = this.at;
    if (this.#bytes.length - from < count) {
      throw new RangeError("the bytes end inside a field");
    }
    this.at = from + count;
    return from;
  }

  #varint(): void {
    const bytes = this.#bytes;
    let at = this.at;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) {
        throw new RangeError("the bytes end inside a varint");
      }
      if (shift < 28) {
        low |= (byte & 0x7f) << shift;
      } else if (shift === 28) {
        low |= (byte & 0x7f) << 28;
        high = (byte & 0x7f) >> 4;
      } else {
        high |= (byte & 0x7f) << (shift - 32);
      }
      if (byte < 0x80) {
        this.at = at;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new Error("a varint has more than ten bytes");
  }
}

function bigUint64(low: number, high: number): bigint {
  scratch.setUint32(0, high);
  scratch.setUint32(4, low);
  return scratch.getBigUint64(0);
}

function bigInt64(low: number, high: number): bigint {
  scratch.setUint32(0, high);
  scratch.setUint32(4, low);
  return scratch.getBigInt64(0);
}
