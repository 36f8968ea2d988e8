// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { ScalarType } from "@bufbuild/protobuf";
import type { Decoder } from "./decoder.js";

/** Reads a value behind its tag. */
export type ScalarReader = (decoder: Decoder) => unknown;

/** Returns the reader of a scalar type. */
export function scalarReader(type: ScalarType, strictUtf8: boolean, longAsString: boolean): ScalarReader {
  switch (type) {
    case ScalarType.STRING:
      return (decoder) => decoder.text(strictUtf8);
    case ScalarType.BYTES:
      return (decoder) => decoder.bytes();
    case ScalarType.BOOL:
      return (decoder) => decoder.bool();
    case ScalarType.DOUBLE:
      return (decoder) => decoder.double();
    case ScalarType.FLOAT:
      return (decoder) => decoder.float();
    case ScalarType.INT32:
      return (decoder) => decoder.int32();
    case ScalarType.UINT32:
      return (decoder) => decoder.uint32();
    case ScalarType.SINT32:
      return (decoder) => decoder.sint32();
    case ScalarType.FIXED32:
      return (decoder) => decoder.fixed32();
    case ScalarType.SFIXED32:
      return (decoder) => decoder.sfixed32();
    default: {
      const read = longReader(type);
      return longAsString ? (decoder) => String(read(decoder)) : read;
    }
  }
}

function longReader(type: ScalarType): (decoder: Decoder) => bigint {
  switch (type) {
    case ScalarType.INT64:
      return (decoder) => decoder.int64();
    case ScalarType.UINT64:
      return (decoder) => decoder.uint64();
    case ScalarType.SINT64:
      return (decoder) => decoder.sint64();
    case ScalarType.FIXED64:
      return (decoder) => decoder.fixed64();
    case ScalarType.SFIXED64:
      return (decoder) => decoder.sfixed64();
    default:
      throw new Error(`there is no scalar type ${type}`);
  }
}

/** Returns what makes the value that a scalar has if nothing is said about it. */
export function scalarZero(type: ScalarType): () => unknown {
  switch (type) {
    case ScalarType.STRING:
      return () => "";
    case ScalarType.BYTES:
      return () => new Uint8Array(0);
    case ScalarType.BOOL:
      return () => false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return () => 0n;
    default:
      return () => 0;
  }
}
