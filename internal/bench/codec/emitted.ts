// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What the plugin could emit for some messages, on the encoder and decoder of core: made by hand, and only to measure it.

import { Decoder } from "../../../packages/core/src/codec/decoder.js";
import { Encoder } from "../../../packages/core/src/codec/encoder.js";

interface Emitted {
  encode(message: object): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const encoder = new Encoder();

function text(encoder: Encoder, tag: number, value: string | undefined): void {
  if (value !== undefined && value !== "") {
    encoder.uint32(tag);
    encoder.text(value);
  }
}

function int32(encoder: Encoder, tag: number, value: number | undefined): void {
  if (value !== undefined && value !== 0) {
    if ((value | 0) !== value) {
      throw new Error(`${value} does not fit int32`);
    }
    encoder.uint32(tag);
    if (value < 0) {
      encoder.varint64(value, -1);
    } else {
      encoder.uint32(value);
    }
  }
}

function bool(encoder: Encoder, tag: number, value: boolean | undefined): void {
  if (value !== undefined && value !== false) {
    encoder.uint32(tag);
    encoder.uint32(1);
  }
}

function double(encoder: Encoder, tag: number, value: number | undefined): void {
  if (value !== undefined && !Object.is(value, 0)) {
    encoder.uint32(tag);
    encoder.double(value);
  }
}

interface Sentence {
  sentence?: string;
}

const sentence: Emitted = {
  encode: (message) => {
    encoder.begin();
    text(encoder, 10, (message as Sentence).sentence);
    return encoder.finish();
  },
  decode: (bytes) => {
    const decoder = new Decoder(bytes);
    const message = { $typeName: "corner.v1.Sentence", sentence: "" };
    while (decoder.at < bytes.length) {
      const tag = decoder.tag();
      switch (tag >>> 3) {
        case 1:
          message.sentence = decoder.text(true);
          break;
        default:
          decoder.unknownField(tag, true);
      }
    }
    return message;
  },
};

interface Wide {
  f1?: string;
  f2?: number;
  f3?: boolean;
  f4?: number;
  f5?: string;
  f6?: number;
  f7?: boolean;
  f8?: number;
  f9?: string;
  f10?: number;
  f11?: boolean;
  f12?: number;
  f13?: string;
  f14?: number;
  f15?: boolean;
  f16?: number;
  f17?: string;
  f18?: number;
  f19?: boolean;
  f20?: number;
  f21?: string;
  f22?: number;
  f23?: boolean;
  f24?: number;
  f25?: string;
  f26?: number;
  f27?: boolean;
  f28?: number;
  f29?: string;
  f30?: bigint;
}

const wide: Emitted = {
  encode: (init) => {
    const message = init as Wide;
    encoder.begin();
    text(encoder, 10, message.f1);
    int32(encoder, 16, message.f2);
    bool(encoder, 24, message.f3);
    double(encoder, 33, message.f4);
    text(encoder, 42, message.f5);
    int32(encoder, 48, message.f6);
    bool(encoder, 56, message.f7);
    double(encoder, 65, message.f8);
    text(encoder, 74, message.f9);
    int32(encoder, 80, message.f10);
    bool(encoder, 88, message.f11);
    double(encoder, 97, message.f12);
    text(encoder, 106, message.f13);
    int32(encoder, 112, message.f14);
    bool(encoder, 120, message.f15);
    double(encoder, 129, message.f16);
    text(encoder, 138, message.f17);
    int32(encoder, 144, message.f18);
    bool(encoder, 152, message.f19);
    double(encoder, 161, message.f20);
    text(encoder, 170, message.f21);
    int32(encoder, 176, message.f22);
    bool(encoder, 184, message.f23);
    double(encoder, 193, message.f24);
    text(encoder, 202, message.f25);
    int32(encoder, 208, message.f26);
    bool(encoder, 216, message.f27);
    double(encoder, 225, message.f28);
    text(encoder, 234, message.f29);
    if (message.f30 !== undefined && message.f30 !== 0n) {
      encoder.uint32(240);
      encoder.varint64(Number(BigInt.asIntN(32, message.f30)), Number(BigInt.asIntN(32, message.f30 >> 32n)));
    }
    return encoder.finish();
  },
  decode: (bytes) => {
    const decoder = new Decoder(bytes);
    const message = {
      $typeName: "corner.v1.Wide",
      f1: "",
      f2: 0,
      f3: false,
      f4: 0,
      f5: "",
      f6: 0,
      f7: false,
      f8: 0,
      f9: "",
      f10: 0,
      f11: false,
      f12: 0,
      f13: "",
      f14: 0,
      f15: false,
      f16: 0,
      f17: "",
      f18: 0,
      f19: false,
      f20: 0,
      f21: "",
      f22: 0,
      f23: false,
      f24: 0,
      f25: "",
      f26: 0,
      f27: false,
      f28: 0,
      f29: "",
      f30: 0n,
    };
    while (decoder.at < bytes.length) {
      const tag = decoder.tag();
      switch (tag >>> 3) {
        case 1:
          message.f1 = decoder.text(true);
          break;
        case 2:
          message.f2 = decoder.int32();
          break;
        case 3:
          message.f3 = decoder.bool();
          break;
        case 4:
          message.f4 = decoder.double();
          break;
        case 5:
          message.f5 = decoder.text(true);
          break;
        case 6:
          message.f6 = decoder.int32();
          break;
        case 7:
          message.f7 = decoder.bool();
          break;
        case 8:
          message.f8 = decoder.double();
          break;
        case 9:
          message.f9 = decoder.text(true);
          break;
        case 10:
          message.f10 = decoder.int32();
          break;
        case 11:
          message.f11 = decoder.bool();
          break;
        case 12:
          message.f12 = decoder.double();
          break;
        case 13:
          message.f13 = decoder.text(true);
          break;
        case 14:
          message.f14 = decoder.int32();
          break;
        case 15:
          message.f15 = decoder.bool();
          break;
        case 16:
          message.f16 = decoder.double();
          break;
        case 17:
          message.f17 = decoder.text(true);
          break;
        case 18:
          message.f18 = decoder.int32();
          break;
        case 19:
          message.f19 = decoder.bool();
          break;
        case 20:
          message.f20 = decoder.double();
          break;
        case 21:
          message.f21 = decoder.text(true);
          break;
        case 22:
          message.f22 = decoder.int32();
          break;
        case 23:
          message.f23 = decoder.bool();
          break;
        case 24:
          message.f24 = decoder.double();
          break;
        case 25:
          message.f25 = decoder.text(true);
          break;
        case 26:
          message.f26 = decoder.int32();
          break;
        case 27:
          message.f27 = decoder.bool();
          break;
        case 28:
          message.f28 = decoder.double();
          break;
        case 29:
          message.f29 = decoder.text(true);
          break;
        case 30:
          message.f30 = decoder.int64();
          break;
        default:
          decoder.unknownField(tag, true);
      }
    }
    return message;
  },
};

interface Numbers {
  largest?: number;
  at256?: string;
  at255?: string;
  at254?: string;
  between?: number;
  self?: Numbers;
}

function writeNumbers(message: Numbers): void {
  int32(encoder, 16, message.between);
  if (message.self !== undefined) {
    encoder.uint32(26);
    const fork = encoder.fork();
    writeNumbers(message.self);
    encoder.join(fork);
  }
  text(encoder, 2034, message.at254);
  text(encoder, 2042, message.at255);
  text(encoder, 2050, message.at256);
  int32(encoder, 4294967288, message.largest);
}

function newNumbers() {
  return {
    $typeName: "corner.v1.Numbers",
    largest: 0,
    at256: "",
    at255: "",
    at254: "",
    at16: new Uint8Array(0),
    at15: false,
    mixed: { case: undefined },
    between: 0,
  };
}

function readNumbers(decoder: Decoder, message: Numbers, end: number): Numbers {
  while (decoder.at < end) {
    const tag = decoder.tag();
    switch (tag >>> 3) {
      case 2:
        message.between = decoder.int32();
        break;
      case 3: {
        const length = decoder.uint32();
        message.self = readNumbers(decoder, message.self ?? newNumbers(), decoder.at + length);
        break;
      }
      case 254:
        message.at254 = decoder.text(true);
        break;
      case 255:
        message.at255 = decoder.text(true);
        break;
      case 256:
        message.at256 = decoder.text(true);
        break;
      default:
        decoder.unknownField(tag, true);
    }
  }
  return message;
}

const numbers: Emitted = {
  encode: (message) => {
    encoder.begin();
    writeNumbers(message as Numbers);
    return encoder.finish();
  },
  decode: (bytes) => readNumbers(new Decoder(bytes), newNumbers(), bytes.length),
};

export const emittedCodecs: ReadonlyMap<string, Emitted> = new Map([
  ["corner.v1.Sentence", sentence],
  ["corner.v1.Wide", wide],
  ["corner.v1.Numbers", numbers],
]);
